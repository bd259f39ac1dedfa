"""What the tests of providers share."""

import pytest
from rest_framework.test import APIClient

from connections_project.api import throttling
from connections_project.identity.models import User
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of
from tests.support.provider_syncing import Sync


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test connect more often than five times a minute."""
    monkeypatch.setattr(throttling, "consume", lambda *_: None)


@pytest.fixture
def row(owner: User, bank: Bank) -> Connection:
    """The owner's connection to the bank, made without a flow."""
    return connection_of(owner)


@pytest.fixture
def sync(api: APIClient, row: Connection) -> Sync:
    """Sync that connection, and give the answer."""

    def sync() -> dict[str, object]:
        body = {"connection_id": str(row.pk), "force": True}
        answer = api.post("/api/v1/accounts/syncs", body, format="json")
        assert answer.status_code == 201, answer.content
        result: dict[str, object] = answer.json()
        return result

    return sync
