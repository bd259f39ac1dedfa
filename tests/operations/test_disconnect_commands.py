"""`manage.py disconnect_provider`, `disconnect_channel` and `disconnect_social`."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.connections.models import OAuthConnection
from connections_project.core.commands.base import os_user
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.operations.conftest import account_of_user, history_of, jobs_of
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of, events

pytestmark = pytest.mark.django_db

WHY = ("--reason", "breach at the platform")


@dataclass
class Command:
    """One of the three, for tests that hold for each of them."""

    name: str
    option: str
    slug: str
    make: Callable[..., Any]

    def run(self, *arguments: object, answer: str = "") -> "Ran":
        """Run it as the shell does, short of the process: the exit code, and what was written."""
        out, err = StringIO(), StringIO()
        given = [str(one) for one in arguments]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(answer))
            try:
                call_command(self.name, *given, stdout=out, stderr=err)
            except CommandError as error:
                return Ran(error.returncode, out.getvalue(), f"{err.getvalue()}{error}")
        return Ran(0, out.getvalue(), err.getvalue())


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


COMMANDS = {
    "provider": Command("disconnect_provider", "--slug", "bank", connection_of),
    "channel": Command("disconnect_channel", "--channel", "chirp", channel_of),
    "social": Command("disconnect_social", "--platform", "gallery", account_of_user),
}


@pytest.fixture(params=list(COMMANDS))
def command(request: pytest.FixtureRequest, platforms: object) -> Command:
    return COMMANDS[request.param]


@pytest.fixture
def provider(platforms: object) -> Command:
    return COMMANDS["provider"]


def is_over(row: OAuthConnection) -> bool:
    row.refresh_from_db()
    return row.status == "disconnected"


def test_ids_are_disconnected_and_nothing_else(command: Command, owner: User) -> None:
    one, two, other = (command.make(owner, account_id=str(number)) for number in range(3))
    ran = command.run(one.pk, str(two.pk).upper(), *WHY, "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 connections disconnected")
    assert [is_over(row) for row in (one, two, other)] == [True, True, False]


def test_by_user(command: Command, owner: User, outsider: User) -> None:
    own, foreign = command.make(owner, account_id="a"), command.make(outsider, account_id="b")
    assert command.run("--user", "Owner@Example.com", *WHY, "--yes").code == 0
    assert (is_over(own), is_over(foreign)) == (True, False)


def test_a_shared_teams_accounts_are_not_the_users(
    owner: User, teammate: User, platforms: object
) -> None:
    row = account_of_user(owner)
    ran = COMMANDS["social"].run("--user", teammate.email, *WHY, "--yes")
    assert (ran.code, is_over(row)) == (0, False)


def test_by_platform(command: Command, owner: User) -> None:
    here, elsewhere = command.make(owner, account_id="a"), command.make(owner, account_id="b")
    rows = type(elsewhere).objects.filter(pk=elsewhere.pk)
    rows.update(**{elsewhere.platform_column: "another"})
    ran = command.run(command.option, command.slug, *WHY, "--yes")
    assert (ran.code, is_over(here), is_over(elsewhere)) == (0, True, False)


def test_by_status(command: Command, owner: User) -> None:
    live = command.make(owner, account_id="a")
    expired = command.make(owner, account_id="b", status="expired")
    assert command.run("--status", "expired", *WHY, "--yes").code == 0
    assert (is_over(live), is_over(expired)) == (False, True)


def test_by_age(command: Command, owner: User) -> None:
    now = timezone.now()
    old = command.make(owner, account_id="a", now=now - timedelta(days=3))
    young = command.make(owner, account_id="b", now=now)
    day = (now - timedelta(days=1)).date().isoformat()
    assert command.run("--connected-before", day, *WHY, "--yes").code == 0
    assert (is_over(old), is_over(young)) == (True, False)


@pytest.mark.parametrize(
    ("given", "included"),
    [
        ("2026-01-31", False),
        ("2026-02-01", True),
        ("2026-01-31T10:00:00Z", False),
        ("2026-01-31T10:00:01Z", True),
        ("2026-01-31T12:00:00+02:00", False),
        ("2026-01-31 10:00:01", True),
    ],
)
def test_a_date_is_midnight_utc_a_time_is_exact(
    provider: Command, owner: User, given: str, included: bool
) -> None:
    row = connection_of(owner, now=datetime(2026, 1, 31, 10, tzinfo=UTC))
    provider.run("--connected-before", given, *WHY, "--yes")
    assert is_over(row) is included


def test_all(command: Command, owner: User, outsider: User) -> None:
    rows = [command.make(user, account_id=user.email) for user in (owner, outsider)]
    assert command.run("--all", *WHY, "--yes").code == 0
    assert all(is_over(row) for row in rows)


def test_of_several_selectors_all_must_hold(provider: Command, owner: User, outsider: User) -> None:
    both = connection_of(owner, account_id="a", status="expired")
    rest = [
        connection_of(owner, account_id="b"),
        connection_of(outsider, account_id="c", status="expired"),
    ]
    ids = (both.pk, *(row.pk for row in rest))
    ran = provider.run(*ids, "--user", owner.email, "--status", "expired", "--all", *WHY, "--yes")
    assert ran.out.startswith("1 connection disconnected")
    assert (is_over(both), [is_over(row) for row in rest]) == (True, [False, False])


def test_a_removed_platform_can_be_selected(provider: Command, owner: User) -> None:
    row = connection_of(owner, slug="gone", status="expired")
    assert provider.run("--slug", "gone", *WHY, "--yes").code == 0
    assert is_over(row)


@pytest.mark.parametrize(
    "arguments",
    [
        WHY,
        ("--yes", *WHY),
        ("--all", "--reason", ""),
        ("--all", "--reason", "   "),
        ("--all", "--reason", "x" * 513),
        ("--all", "--reason", "a\x00b"),
        ("--all", "--reason", "\udcff"),
        ("--all",),
        ("not-an-id", *WHY),
        ("--status", "cheerful", *WHY),
        ("--connected-before", "yesterday", *WHY),
        ("--connected-before", "2026-02-30", *WHY),
        ("--all", "--batch-size", "0", *WHY),
        ("--all", "--batch-size", "10001", *WHY),
        ("--all", "--batch-size", "x", *WHY),
        ("--slug", "bnak", *WHY),
        ("--slug", "chirp", *WHY),
        ("--all", "--operator", "nobody@example.com", *WHY),
    ],
)
def test_wrong_use_changes_nothing(
    provider: Command, owner: User, arguments: tuple[str, ...]
) -> None:
    row = connection_of(owner)
    # What argparse refuses, it refuses through CommandError where it is called from Python.
    ran = provider.run(*arguments, answer="y\n")
    assert ran.code in {1, 2}
    assert ran.err
    assert not is_over(row)
    assert not AuditEvent.objects.exists()


def test_an_unknown_user_is_named(provider: Command, owner: User) -> None:
    ran = provider.run("--user", "nobody@example.com", *WHY, "--yes")
    assert (ran.code, ran.err) == (1, "There is no user nobody@example.com.")


def test_an_unknown_id_is_named_the_rest_done(command: Command, owner: User) -> None:
    row, unknown = command.make(owner), uuid7()
    ran = command.run(unknown, row.pk, *WHY, "--yes")
    assert ran.code == 1
    assert f"UNKNOWN {unknown}" in ran.err
    assert is_over(row)


def test_an_empty_selection_is_no_failure_and_says_so(command: Command, owner: User) -> None:
    for arguments in (("--all",), ("--user", owner.email), (command.option, command.slug)):
        ran = command.run(*arguments, *WHY)
        assert (ran.code, ran.out) == (
            0,
            "Nothing to disconnect: no live connection matches.\n",
        )


def test_what_is_over_is_passed_over(provider: Command, owner: User) -> None:
    over = connection_of(owner, status="disconnected")
    live = connection_of(owner)
    before = over.updated_at
    ran = provider.run(over.pk, live.pk, *WHY, "--yes")
    assert ran.out.startswith("1 connection disconnected, 1 over already")
    over.refresh_from_db()
    assert over.updated_at == before
    again = provider.run(over.pk, live.pk, *WHY, "--yes")
    assert (again.code, again.out) == (0, "0 connections disconnected, 2 over already.\n")
    assert len(events("provider_disconnected")) == 1


class TestTheConfirmation:
    @pytest.mark.parametrize("answer", ["y\n", "Yes\n", " YES \n"])
    def test_yes_goes_on(self, provider: Command, owner: User, answer: str) -> None:
        rows = [connection_of(owner, account_id=str(number)) for number in range(3)]
        ran = provider.run("--all", *WHY, answer=answer)
        assert ran.code == 0
        assert "Disconnect 3 connections? [y/N]" in ran.out
        assert all(is_over(row) for row in rows)

    @pytest.mark.parametrize("answer", ["n\n", "", "\n", "yep\n", "no\ny\n"])
    def test_anything_else_means_no(self, provider: Command, owner: User, answer: str) -> None:
        row = connection_of(owner)
        ran = provider.run(row.pk, *WHY, answer=answer)
        assert (ran.code, is_over(row)) == (2, False)
        assert "Disconnect 1 connection? [y/N]" in ran.out
        assert ran.err == "Nothing was done."

    def test_it_shows_what_would_be_touched(self, owner: User, platforms: object) -> None:
        schedule_of(channel_of(owner))
        ran = COMMANDS["channel"].run("--all", *WHY)
        assert "active schedules    1\n" in ran.out

    def test_with_json_it_stands_apart_from_the_result(
        self, provider: Command, owner: User
    ) -> None:
        connection_of(owner)
        ran = provider.run("--all", *WHY, "--json", answer="y\n")
        assert ran.json["disconnected"] == 1
        assert "Disconnect 1 connection?" in ran.err


class TestDryRun:
    def test_a_dry_run_shows_the_blast_radius(self, command: Command, owner: User) -> None:
        row = command.make(owner)
        ran = command.run("--all", *WHY, "--dry-run")
        assert ran.code == 0
        assert ran.out.startswith("1 connection would be ended:")
        assert f"platforms           {command.slug} 1\n" in ran.out
        assert not is_over(row)
        assert not AuditEvent.objects.exists()

    def test_it_is_what_happens_afterwards(self, command: Command, owner: User) -> None:
        for number in range(3):
            command.make(owner, account_id=str(number))
        announced = command.run("--all", *WHY, "--dry-run", "--json").json
        done = command.run("--all", *WHY, "--yes", "--json").json
        radius = announced["blast_radius"]
        assert radius["connections"] == done["disconnected"] == 3
        assert radius["revocations"] == done["revocations"]
        assert (announced["disconnected"], announced["dry_run"]) == (0, True)

    def test_an_unknown_id_is_named_here_too(self, provider: Command, owner: User) -> None:
        ran = provider.run(uuid7(), *WHY, "--dry-run")
        assert ran.code == 1


def test_json_has_everything(provider: Command, owner: User) -> None:
    unknown, row = uuid7(), connection_of(owner)
    over = connection_of(owner, status="disconnected")
    ran = provider.run(unknown, row.pk, over.pk, *WHY, "--yes", "--json")
    assert ran.json == {
        "dry_run": False,
        "selected": 1,
        "disconnected": 1,
        "passed_over": 1,
        "revocations": 1,
        "failed": [],
        "unknown_ids": [str(unknown)],
        "blast_radius": None,
    }


class TestTheAudit:
    def test_it_names_operator_reason_and_the_os_user(
        self, command: Command, owner: User, permitted: User
    ) -> None:
        row = command.make(owner)
        assert command.run("--all", *WHY, "--yes", "--operator", permitted.email).code == 0
        recorded = AuditEvent.objects.filter(subject_id=row.pk)
        assert "connection_force_disconnected" in {event.action for event in recorded}
        for event in recorded:
            assert (event.actor_type, event.actor_id) == ("operator", permitted.pk)
            assert (event.interface, event.reason) == ("command", WHY[1])
            assert event.details["os_user"] == os_user()
            assert event.details["platform"] == command.slug

    def test_without_an_operator_the_os_user_is_actor(self, provider: Command, owner: User) -> None:
        connection_of(owner)
        provider.run("--all", *WHY, "--yes")
        (event,) = events("connection_force_disconnected")
        assert (event.actor_type, event.actor_id) == ("operator", None)

    def test_the_apps_own_event_stands_beside(self, provider: Command, owner: User) -> None:
        row = connection_of(owner)
        provider.run("--all", *WHY, "--yes")
        actions = [action for action, _, _ in history_of(row)]
        assert actions == ["provider_disconnected", "connection_force_disconnected"]


class TestTheOperator:
    @pytest.mark.parametrize("lacking", ["permission", "is_staff", "is_active"])
    def test_must_be_active_staff_with_the_permission(
        self, command: Command, owner: User, permitted: User, lacking: str
    ) -> None:
        row = command.make(owner)
        if lacking == "permission":
            permitted.user_permissions.clear()
        else:
            setattr(permitted, lacking, False)
            permitted.save()
        ran = command.run("--all", *WHY, "--yes", "--operator", permitted.email)
        assert (ran.code, is_over(row)) == (2, False)
        assert "is not an active operator" in ran.err

    def test_a_superuser_has_every_permission(
        self, provider: Command, owner: User, operator: User
    ) -> None:
        operator.is_superuser = True
        operator.save()
        connection_of(owner)
        assert provider.run("--all", *WHY, "--yes", "--operator", operator.email).code == 0


class TestOptions:
    def test_no_revoke_sends_nothing(self, provider: Command, owner: User) -> None:
        row = connection_of(owner)
        ran = provider.run("--all", *WHY, "--yes", "--no-revoke", "--json")
        assert (ran.json["revocations"], jobs_of(row)) == (0, [])
        row.refresh_from_db()
        assert row.auth_state is None

    def test_a_channel_with_schedules_is_left_alone(self, owner: User, platforms: object) -> None:
        busy, free = channel_of(owner, account_id="a"), channel_of(owner, account_id="b")
        schedule_of(busy)
        ran = COMMANDS["channel"].run("--all", *WHY, "--yes")
        assert ran.code == 1
        assert f"FAILED {busy.pk}: 1 schedule is pending or queued." in ran.err
        assert (is_over(busy), is_over(free)) == (False, True)

    def test_schedules_are_cancelled_in_the_same_commit(
        self, owner: User, platforms: object
    ) -> None:
        busy = channel_of(owner)
        schedule = schedule_of(busy)
        ran = COMMANDS["channel"].run("--all", *WHY, "--yes", "--cancel-schedules")
        schedule.refresh_from_db()
        assert (ran.code, is_over(busy), schedule.status) == (0, True, "cancelled")

    def test_social_tokens_are_kept_and_nothing_sent(self, owner: User, platforms: object) -> None:
        row = account_of_user(owner)
        assert COMMANDS["social"].run("--all", *WHY, "--yes").code == 0
        assert is_over(row)
        assert row.auth_state is not None
        assert not RevocationJob.objects.exists()

    def test_erase_tokens_revokes_kept_ones_too(self, owner: User, platforms: object) -> None:
        live = account_of_user(owner, account_id="a")
        kept = account_of_user(owner, account_id="b", status="disconnected")
        ran = COMMANDS["social"].run("--all", *WHY, "--yes", "--erase-tokens", "--json")
        assert (ran.json["disconnected"], ran.json["revocations"]) == (2, 2)
        for row in (live, kept):
            assert is_over(row)
            assert row.auth_state is None
        assert "account_disconnected" not in [action for action, _, _ in history_of(kept)]

    def test_erasing_without_revoking_only_erases(self, owner: User, platforms: object) -> None:
        row = account_of_user(owner)
        COMMANDS["social"].run("--all", *WHY, "--yes", "--erase-tokens", "--no-revoke")
        row.refresh_from_db()
        assert row.auth_state is None
        assert not RevocationJob.objects.exists()

    def test_small_batches_come_to_the_same(self, command: Command, owner: User) -> None:
        rows = [command.make(owner, account_id=str(number)) for number in range(5)]
        ran = command.run("--all", *WHY, "--yes", "--batch-size", 2)
        assert ran.out.startswith("5 connections disconnected")
        assert all(is_over(row) for row in rows)


def test_help_shows_examples_and_the_json_shape(command: Command) -> None:
    parser = _parser(command)
    text = parser.format_help()
    for part in ("examples:", f"manage.py {command.name} ", "blast_radius {", "Exit code 0"):
        assert part in text


def _parser(command: Command) -> Any:
    from django.core.management import get_commands, load_command_class

    found = load_command_class(get_commands()[command.name], command.name)
    return found.create_parser("manage.py", command.name)


def test_no_secret_is_ever_shown(provider: Command, owner: User) -> None:
    connection_of(owner)
    ran = provider.run("--all", *WHY, "--yes", "--json")
    assert "refresh-0" not in ran.out + ran.err
    assert "access-0" not in ran.out + ran.err
    assert Connection.objects.get().auth_state is None
