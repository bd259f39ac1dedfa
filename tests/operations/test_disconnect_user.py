"""`manage.py disconnect_user EMAIL`: a user goes, from the shell."""

import io
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError

from connections_project.core.ids import uuid7
from connections_project.identity.keys import create_key
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from connections_project.operations.options import Failure, Result
from providers.models import Connection
from tests.operations.conftest import account_of_user
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, events

pytestmark = pytest.mark.django_db

WHY = ("--reason", "left the company")


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("disconnect_user", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return error.value


def is_untouched(user: User) -> bool:
    active = User.objects.get(pk=user.pk).is_active
    return active and Connection.objects.filter(user=user, status="active").exists()


def test_it_deactivates_and_disconnects_and_says_so(owner: User, platforms: Bank) -> None:
    row = connection_of(owner)
    text = run("Owner@Example.com", *WHY, "--yes")
    row.refresh_from_db()
    assert row.status == "disconnected"
    assert f"{owner.pk} is deactivated; 1 connection disconnected, 1 revocation under way" in text


def test_the_audit_names_the_operator_and_the_os_user(
    owner: User, permitted: User, platforms: Bank
) -> None:
    operator = permitted
    connection_of(owner)
    run(owner.email, *WHY, "--yes", "--operator", operator.email)
    for action in ("user_deactivated", "connection_force_disconnected"):
        (event,) = events(action)
        assert (event.actor_type, event.actor_id) == ("operator", operator.pk)
        assert (event.interface, event.reason) == ("command", "left the company")
        assert event.details["os_user"]


def test_a_dry_run_shows_it_and_does_nothing(owner: User, platforms: Bank) -> None:
    connection_of(owner)
    create_key(
        team=owner.own_team, scopes=["social:read"], origin=command_origin(None), name="press"
    )
    text = run(owner.email, *WHY, "--dry-run")
    assert "providers: 1 connection, 0 active schedules, 1 revocation" in text
    assert "(press)" in text
    assert is_untouched(owner)
    seen = json.loads(run(owner.email, *WHY, "--dry-run", "--json"))
    assert (seen["dry_run"], seen["leaving"]["providers"]["connections"]) == (True, 1)
    assert [key["name"] for key in seen["ending_keys"]] == ["press"]


def test_nothing_to_disconnect_is_said(owner: User) -> None:
    assert "Nothing is connected." in run(owner.email, *WHY, "--dry-run")


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "maybe\n"])
def test_without_a_yes_nothing_is_done(
    answer: str, owner: User, platforms: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_of(owner)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert refused(owner.email, *WHY).returncode == 2
    assert is_untouched(owner)


def test_the_question_shows_the_count_and_needs_yes(
    owner: User, platforms: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_of(owner)
    monkeypatch.setattr("sys.stdin", io.StringIO("Y\n"))
    assert "and disconnect 1 connection? [y/N]" in run(owner.email, *WHY)
    assert not is_untouched(owner)


def test_forgetting_leaves_an_id(owner: User, platforms: Bank) -> None:
    account_of_user(owner)
    done = json.loads(run(owner.email, *WHY, "--forget", "--yes", "--json"))
    assert (done["is_forgotten"], done["is_active"], done["disconnected"]) == (True, False, 1)
    assert "owner@example.com" not in json.dumps(done)
    again = json.loads(run(str(owner.pk), *WHY, "--forget", "--yes", "--json"))
    assert again["disconnected"] == 0


def test_an_unknown_user_is_named(db: None) -> None:
    error = refused("nobody@example.com", *WHY, "--yes")
    assert (error.returncode, "nobody@example.com" in str(error)) == (1, True)
    assert refused(str(uuid7()), *WHY, "--yes").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--reason", "", "--yes"],
        ["--reason", "x" * 513, "--yes"],
        [*WHY, "--yes", "--operator", "nobody@example.com"],
        [*WHY, "--yes", "--operator", "owner@example.com"],
        [*WHY, "--yes", "--operator", "operator@example.com"],
    ],
)
def test_wrong_use_does_nothing(
    arguments: list[str], owner: User, operator: User, platforms: Bank
) -> None:
    connection_of(owner)
    assert refused(owner.email, *arguments).returncode == 2
    assert is_untouched(owner)


def test_what_failed_is_named_and_gives_exit_code_1(
    owner: User, platforms: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = connection_of(owner)
    failure = Failure(row.pk, "database_refused", "The database refuses the change.")

    def fail(*_: Any, **__: Any) -> Result:
        return Result(failures=(failure,))

    monkeypatch.setattr(offboarding, "force_disconnect", fail)
    errors = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("disconnect_user", owner.email, *WHY, "--yes", stderr=errors)
    assert error.value.returncode == 1
    assert f"FAILED {row.pk}: The database refuses the change." in errors.getvalue()


@pytest.mark.parametrize(
    ("fault", "code"), [(KeyboardInterrupt, 130), (OperationalError, 1), (InterfaceError, 1)]
)
def test_an_interruption_is_reported_and_resumable(
    fault: type[BaseException], code: int, owner: User, platforms: Bank, monkeypatch: Any
) -> None:
    connection_of(owner)

    def break_off(*_: Any, **__: Any) -> Result:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(offboarding, "force_disconnect", break_off)
        error = refused(owner.email, *WHY, "--yes")
    assert (error.returncode, "run it again" in str(error)) == (code, True)
    assert json.loads(run(owner.email, *WHY, "--yes", "--json"))["disconnected"] == 1


def test_the_question_spares_standard_output(
    owner: User, platforms: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_of(owner)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert json.loads(run(owner.email, *WHY, "--json"))["disconnected"] == 1
