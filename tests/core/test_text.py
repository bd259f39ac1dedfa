"""What a terminal or a reader would take for something else is escaped, or refused."""

import json
import logging
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command, get_commands, load_command_class
from rest_framework.test import APIClient

from connections_project.core.commands.base import EscapedCommand
from connections_project.core.logs import JsonFormatter
from connections_project.core.text import (
    InvalidReasonError,
    escaped,
    is_deceptive,
    json_spelt_out,
    reason_of,
    refuse_deceptive,
)
from connections_project.identity.models import User
from connections_project.oauth.names import without_controls
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

DECEPTIVE = [
    "\x1b[2J",
    "a\x00",
    "a\x07b",
    "a\nb",
    "a\x7fb",
    "a\x9bb",
    "a\u202eb",
    "a\u2066b",
    "\ud800a",
]
# A family, a flag of Scotland by tags, Persian with ZWNJ, an emoji of Unicode 16, right-to-left.
NAMES = [
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\U0001fae9",
    "\u05d0\u200f!",
]
OURS = [
    (app, name)
    for name, app in get_commands().items()
    if str(app).split(".")[0] in {"audit", "connections_project", "providers", "channels", "social"}
    and name != "migrate"  # Django's own, which seals what it finds.
]


@pytest.mark.parametrize("text", DECEPTIVE)
def test_deceptive_texts_are_refused(text: str) -> None:
    assert is_deceptive(text)
    with pytest.raises(ValidationError):
        refuse_deceptive(text)
    with pytest.raises(InvalidReasonError):
        reason_of(f"x{text}x")


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_languages_are_kept(name: str) -> None:
    assert without_controls(name) == name
    assert not is_deceptive(name)


def test_only_controls_go_from_names() -> None:
    assert without_controls(" a\x00b\x1bc\x85d\ud800e\n") == "a b c d e"


def test_a_reason_has_1_to_512_characters() -> None:
    assert reason_of(" x ") == "x"
    assert reason_of("x" * 512) == "x" * 512
    assert reason_of("", least=0) == ""
    for text in ("", "  ", "x" * 513):
        with pytest.raises(InvalidReasonError):
            reason_of(text)


def test_output_is_escaped_but_for_its_lines() -> None:
    assert escaped("a\n\tb") == "a\n\tb"
    assert escaped("\x1b]0;x\x07\x9b1m\u202e\u200f\ud800\r") == (
        r"\x1b]0;x\x07\x9b1m\u202e\u200f\ud800\r"
    )
    assert escaped("\x1b[31;1mred\x1b[0m") == "red"


@pytest.mark.parametrize(("app", "name"), OURS)
def test_every_command_escapes_its_output(app: str, name: str) -> None:
    command: Any = load_command_class(app, name)
    assert isinstance(command, EscapedCommand)
    for output in (StringIO(), StringIO()):
        command.stdout = type(command.stderr)(output)
        command.stdout.write("a\u202eb")
        assert output.getvalue() == "a\\u202eb\n"


def test_a_platforms_name_moves_no_terminal(owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    Connection.objects.filter(pk=row.pk).update(platform_account_name="\x1b[2Jx\u202e")
    output = StringIO()
    call_command("inspect_connection", str(row.pk), stdout=output)
    assert "\x1b" not in output.getvalue()
    assert "\u202e" not in output.getvalue()


@pytest.mark.parametrize("text", [text for text in DECEPTIVE if text != "\ud800a"])
def test_commands_refuse_them_as_reasons(db: None, text: str) -> None:
    for command in (
        ["suspend_platform", "schwab", "--reason"],
        ["resume_platform", "schwab", "--reason"],
        ["export_audit_log", "--reason"],
        ["revoke_api_key", "cnx_1", "--reason"],
    ):
        with pytest.raises(CommandError) as refused:
            call_command(*command, f"x{text}x", stdout=StringIO())
        assert refused.value.returncode == 2


@pytest.mark.parametrize("alias", [text for text in DECEPTIVE if text != "\ud800a"])
def test_the_api_refuses_them_as_aliases(
    api: APIClient, owner: User, bank: Bank, alias: str
) -> None:
    row = connection_of(owner)
    bodies = [
        ("patch", f"/api/v1/providers/{row.pk}", {"alias": alias}),
        ("post", "/api/v1/providers", {"provider_slug": "bank", "alias": alias}),
    ]
    for method, address, body in bodies:
        answer = getattr(api, method)(address, body, format="json")
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("validation_failed")
        assert [one["field"] for one in answer.json()["errors"]] == ["alias"]


@pytest.mark.parametrize("text", [one for one in DECEPTIVE if "\ud800" not in one])
def test_json_stays_what_it_was(text: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, text, (), None)
    document = {"message": text}
    for written in (
        escaped(json.dumps(document)),
        json_spelt_out(json.dumps(document, ensure_ascii=False)),
        JsonFormatter().format(record),
    ):
        assert json.loads(written)["message"] == text
        assert not is_deceptive(written)
