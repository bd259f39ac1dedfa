"""`manage.py publish_due_schedules`, in process."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from channels.management.commands import publish_due_schedules
from channels.models import ChannelConnection
from connections_project.core.periodic import run_due
from tests.support.channel_publishing import X, accepted, due_schedule, outcome_of, posts
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("publish_due_schedules", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_one_pass_reports_what_became_of_the_due(
    row: ChannelConnection,
    like_x: Chirp,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(4):
        due_schedule(row)
    like_x.server.on("POST", X, Answer(503), Answer(403, json={}), accepted("1"), accepted("2"))
    out, err = run()
    assert out == "4 tried, 2 published, 1 still due, 1 failed.\n"
    # No progress bar where nobody watches.
    assert err == capsys.readouterr().err == ""
    recorded = AuditEvent.objects.filter(action="SCHEDULE_PUBLISHED").first()
    assert recorded is not None
    assert (recorded.actor_type, recorded.interface) == ("system", "command")


def test_with_nothing_to_do_it_says_so(db: None) -> None:
    assert run("--once")[0] == "0 tried, 0 published, 0 still due, 0 failed.\n"


def test_the_result_as_json(row: ChannelConnection, like_x: Chirp) -> None:
    due_schedule(row)
    assert json.loads(run("--json")[0]) == {
        "tried": 1, "published": 1, "still_due": 0, "failed": 0,
    }  # fmt: skip


def test_an_interrupted_pass_exits_as_a_shell_would(
    row: ChannelConnection, like_x: Chirp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publish_due_schedules, "publish_due", interrupted)
    with pytest.raises(CommandError, match="what is due stays due") as caught:
        run()
    assert caught.value.returncode == 130


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        publish_due_schedules.Command().run_from_argv(
            ["manage.py", "publish_due_schedules", "--help"]
        )
    assert "publish_due_schedules --once --json" in capsys.readouterr().out


def test_workers_and_run_revocations_publish_too(row: ChannelConnection, like_x: Chirp) -> None:
    schedule = due_schedule(row)
    run_due()
    assert outcome_of(schedule) == ("published", None)
    assert len(posts(like_x)) == 1
    assert AuditEvent.objects.get(action="SCHEDULE_PUBLISHED").interface == "worker"
