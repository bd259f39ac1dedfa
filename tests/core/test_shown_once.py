"""What a command shows once exists only if it could be shown."""

import io
import os
from collections.abc import Callable
from typing import IO, Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from connections_project.core.commands.base import EscapedCommand
from connections_project.events.models import Endpoint
from connections_project.identity.models import ApiKey, Authenticator, Team, User
from tests.conf.conftest import manage, start
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

EMAIL = "kim@example.com"
NEW = "lee@example.com"
MODELS = (User, ApiKey, Authenticator, Endpoint, AuditEvent)
COMMANDS: dict[str, Callable[[], tuple[str, ...]]] = {
    "create_api_key": lambda: (str(team().pk), "--scopes", "social:read"),
    "create_event_endpoint": lambda: ("https://other.example.com/events",),
    "rotate_event_secret": lambda: (str(Endpoint.objects.get().pk),),
    "reset_totp": lambda: (EMAIL,),
    "create_operator": lambda: (NEW, "--password-stdin"),
    "create_service_account": lambda: (NEW, "--password-stdin"),
    "create_user": lambda: (NEW, "--password-stdin"),
}  # fmt: skip


def team() -> Team:
    return User.objects.get(email=EMAIL).own_team


def run(*words: str, stdout: IO[str] | None = None) -> None:
    call_command(*words, stdout=stdout or io.StringIO(), stderr=io.StringIO())


@pytest.fixture(autouse=True)
def _an_operator_and_an_endpoint(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    make_operator_and_endpoint(settings, monkeypatch)


def make_operator_and_endpoint(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ADMIN_TOTP_REQUIRED = True
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n" * 2))
    run("create_operator", EMAIL, "--password-stdin")
    run("create_event_endpoint", "https://app.example.com/events")


def rows() -> list[Any]:
    return [sorted(model._base_manager.values_list(), key=str) for model in MODELS]


def full() -> IO[str]:
    return open("/dev/full", "w", encoding="utf-8")


def unread() -> IO[str]:
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", encoding="utf-8")


@pytest.mark.parametrize("output", [full, unread])
@pytest.mark.parametrize("name", COMMANDS)
def test_what_could_not_be_shown_is_undone(name: str, output: Callable[[], IO[str]]) -> None:
    words, before = COMMANDS[name](), rows()
    with (
        output() as stdout,
        pytest.raises(CommandError, match=r"^The output can't be written .* Nothing was made"),
    ):
        run(name, *words, stdout=stdout)
    assert rows() == before


@pytest.mark.parametrize(
    ("encoding", "is_drawn"), [("latin-1", False), ("cp1252", False), ("utf-8", True)]
)
def test_a_qr_code_is_drawn_where_it_can_be(encoding: str, is_drawn: bool) -> None:
    written = io.BytesIO()
    stdout = io.TextIOWrapper(written, encoding=encoding)
    run("reset_totp", EMAIL, stdout=stdout)
    said = written.getvalue().decode(encoding)
    assert ("█" in said) is is_drawn
    assert "Secret: " in said
    assert "Recovery codes" in said


class Saying(EscapedCommand):
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> None:
        self.stdout.write("said")


@pytest.mark.parametrize("output", [full, unread])
def test_any_command_says_that_it_can_not_write(output: Callable[[], IO[str]]) -> None:
    with output() as stdout, pytest.raises(CommandError, match="What was committed stays"):
        call_command(Saying(), stdout=stdout)


def test_nor_is_there_anything_to_write_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(CommandError, match="Bad file descriptor"):
        call_command(Saying())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_characters_that_an_encoding_lacks_are_spelt_out(encoding: str) -> None:
    done = manage("help", "inspect_connection", PYTHONIOENCODING=encoding)
    assert not done.returncode, done.stderr
    code = (
        "import sys; from manage import *; sys.argv = ['manage.py', 'version']; main(); print('☃')"
    )
    done = start("-c", code, PYTHONIOENCODING=encoding)
    assert done.stdout.splitlines()[-1] == r"\u2603"
