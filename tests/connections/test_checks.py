"""The system checks name what a connection type forgot."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps

from connections_project.connections import registry
from connections_project.connections.checks import (
    connection_types_are_whole,
    every_connection_model_is_registered,
)
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import ConnectionType, connection_type
from connections_project.oauth.catalog import load_catalog

PROVIDERS = connection_type("providers")


def messages_of(monkeypatch: pytest.MonkeyPatch, one: ConnectionType) -> dict[str, list[str]]:
    """Return the messages about one type, by the number of their check."""
    monkeypatch.setattr(registry, "_types", {one.app: one})
    found: dict[str, list[str]] = {}
    for error in connection_types_are_whole():
        found.setdefault(str(error.id).removeprefix("connections."), []).append(error.msg)
    return found


def test_the_shipped_types_lack_nothing() -> None:
    assert every_connection_model_is_registered() == []
    assert connection_types_are_whole() == []


def test_a_model_in_no_type_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(registry._types, "providers")
    (error,) = every_connection_model_is_registered()
    assert (error.id, error.obj) == ("connections.E001", PROVIDERS.model)


@pytest.mark.parametrize(
    ("forgotten", "number", "named"),
    [
        ({"statuses": ["active"]}, "E003", "disconnected"),
        ({"actions": replace(PROVIDERS.actions, connected="")}, "E004", "actions.connected"),
        ({"actions": replace(PROVIDERS.actions, disconnected="x" * 65)}, "E004", "1 to 64"),
        (
            {"actions": replace(PROVIDERS.actions, disconnected=PROVIDERS.actions.connected)},
            "E004",
            "provider_connected' for two meanings",
        ),
        ({"operator_fields": ("nothing",)}, "E009", "no column"),
        ({"operator_fields": ("auth_state",)}, "E009", "credentials"),
    ],
)
def test_what_is_forgotten_is_named(
    monkeypatch: pytest.MonkeyPatch, forgotten: dict[str, Any], number: str, named: str
) -> None:
    (found,) = messages_of(monkeypatch, replace(PROVIDERS, **forgotten)).items()
    assert found[0] == number
    assert [message for message in found[1] if named in message] == found[1]


def test_kept_tokens_need_an_action(monkeypatch: pytest.MonkeyPatch) -> None:
    social = connection_type("social")
    silent = replace(social, actions=replace(social.actions, tokens_erased=""))
    (message,) = messages_of(monkeypatch, silent)["E004"]
    assert "actions.tokens_erased" in message


def test_a_type_without_catalogue_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "connections_project.connections.checks.catalog", lambda: load_catalog(apps=["channels"])
    )
    (message,) = messages_of(monkeypatch, PROVIDERS)["E006"]
    assert "providers/catalog.toml" in message


@isolate_apps("audit")
def test_a_model_that_forgets_all_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(OAuthConnection):
        app = "forgetful"
        platform_column = "platform"
        owner_column = "owner_id"
        status = models.CharField(max_length=16)

        class Meta:
            app_label = "audit"

    found = messages_of(monkeypatch, replace(PROVIDERS, model=Forgetful, operator_fields=()))
    assert list(found) == ["E002", "E005", "E006", "E007", "E008"]
    missing = ("app = 'forgetful'", "owner_column", "platform_column", "deauthorized_columns()")
    assert len(found["E002"]) == len(missing)
    assert all(word in message for word, message in zip(missing, found["E002"], strict=True))
