"""Making people, services, operators and teams from the shell."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connections_project.identity.models import Team, User
from tests.identity.conftest import EMAIL, PASSWORD, Post

pytestmark = pytest.mark.django_db

Run = Callable[..., str]


class Input(io.StringIO):
    """A standard input that is no terminal, unless a test says so."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with `typed` at its standard input, and give what it prints."""

    def run(*words: str, typed: str = f"{PASSWORD}\n") -> str:
        monkeypatch.setattr("sys.stdin", Input(typed))
        out = io.StringIO()
        call_command(*words, stdout=out)
        return out.getvalue()

    return run


@pytest.mark.parametrize(
    ("command", "principal_type", "is_staff"),
    [
        ("create_user", "user", False),
        ("create_service_account", "service", False),
        ("create_operator", "user", True),
    ],
)
def test_whoever_is_made_can_sign_in(
    run: Run, post: Post, command: str, principal_type: str, is_staff: bool
) -> None:
    result = json.loads(run(command, "Owner@Example.com", "--password-stdin", "--json"))
    user = User.objects.get(email=EMAIL)
    assert result == {
        "id": str(user.pk),
        "email": EMAIL,
        "principal_type": principal_type,
        "is_staff": is_staff,
        "team_id": str(user.own_team.pk),
    }
    assert (user.is_staff, user.is_superuser) == (is_staff, is_staff)
    assert post("login", email=EMAIL, password=PASSWORD).status_code == 200


def test_the_result_has_no_password(run: Run) -> None:
    printed = run("create_user", EMAIL, "--password-stdin")
    assert EMAIL in printed
    assert PASSWORD not in printed


@pytest.mark.parametrize(
    "typed", ["pass word 12\n", "pass word 12\r\n", "pass word 12", "pass word 12\nx"]
)
def test_the_password_is_the_first_line(run: Run, typed: str) -> None:
    run("create_user", EMAIL, "--password-stdin", typed=typed)
    assert User.objects.get().check_password("pass word 12")


def test_a_terminal_asks_for_the_password_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [PASSWORD, PASSWORD, PASSWORD, "something else"]
    monkeypatch.setattr(Input, "isatty", lambda _: True)
    monkeypatch.setattr("getpass.getpass", lambda *_: answers.pop(0))
    run("create_user", EMAIL)
    assert User.objects.get().check_password(PASSWORD)
    with pytest.raises(CommandError, match="differ"):
        run("create_user", "other@example.com")


@pytest.mark.parametrize(
    ("words", "typed", "returncode", "complaint"),
    [
        ([EMAIL], "", 2, "--password-stdin"),
        ([EMAIL, "--password-stdin"], "", 2, "empty"),
        ([EMAIL, "--password-stdin"], "short\n", 1, "too short"),
        (["nobody", "--password-stdin"], f"{PASSWORD}\n", 1, "valid email"),
        (["taken@example.com", "--password-stdin"], f"{PASSWORD}\n", 1, "already exists"),
        (["Taken@Example.com", "--password-stdin"], f"{PASSWORD}\n", 1, "already exists"),
    ],
)
def test_impossible_requests_end_in_one_line(
    run: Run, words: list[str], typed: str, returncode: int, complaint: str
) -> None:
    User.objects.create_user("taken@example.com")
    with pytest.raises(CommandError, match=complaint) as refusal:
        run("create_user", *words, typed=typed)
    assert refusal.value.returncode == returncode
    assert "\n" not in str(refusal.value)
    assert User.objects.count() == Team.objects.count() == 1


@pytest.mark.parametrize("members", [["--member", "a@x.org", "B@x.org", "a@x.org"],
                                     ["--member", "a@x.org", "--member", "b@x.org"]])  # fmt: skip
def test_a_team_has_the_members_it_is_given(run: Run, members: list[str]) -> None:
    people = {User.objects.create_user(email) for email in ("a@x.org", "b@x.org")}
    result = json.loads(run("create_team", "Press", *members, "--json"))
    team = Team.objects.get(pk=result["id"])
    assert (team.name, team.owner, set(team.members.all())) == ("Press", None, people)


def test_unknown_members_are_named_and_no_team_made(run: Run) -> None:
    User.objects.create_user("a@x.org")
    with pytest.raises(CommandError, match=r"nobody@x\.org"):
        run("create_team", "Press", "--member", "a@x.org", "nobody@x.org")
    assert Team.objects.filter(owner=None).count() == 0


@pytest.mark.parametrize("name", ["", "x" * 255])
def test_a_team_needs_a_name_of_sound_length(run: Run, name: Any) -> None:
    User.objects.create_user("a@x.org")
    with pytest.raises(CommandError) as refusal:
        run("create_team", name, "--member", "a@x.org")
    assert refusal.value.returncode == 2
