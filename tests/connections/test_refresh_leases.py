"""A lease that has run out before the platform was asked: the refresh token is spent once."""

import time

import pytest
from django.conf import LazySettings

from audit.record import WORKER
from connections_project.connections.errors import BusyError
from connections_project.connections.refresh import refresh
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_process_that_stood_still_asks_nothing(
    owner: User, bank: Bank, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REFRESH_LEASE_SECONDS = 1
    row, opened = connection_of(owner), Connection.opened

    def stand_still(self: Connection) -> TokenSet:
        monkeypatch.setattr(Connection, "opened", opened)
        old = self.opened()
        time.sleep(1.1)
        refresh(Connection.objects.get(pk=row.pk), force=True, origin=WORKER)
        return old

    monkeypatch.setattr(Connection, "opened", stand_still)
    with pytest.raises(BusyError):
        refresh(row, force=True, origin=WORKER)
    sent = [one.form["refresh_token"] for one in bank.token_requests("refresh_token")]
    assert sent == ["refresh-0"]
    assert Connection.objects.get().opened().refresh_token == "refresh-1"
