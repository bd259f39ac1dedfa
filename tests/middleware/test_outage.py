"""An outage of the database is told to requests before anything is begun for them, never later."""

import time
from threading import Event, Thread

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from connections_project.conf.databases import described
from connections_project.core.postgresql import outage as outages
from connections_project.core.postgresql.base import DatabaseWrapper
from connections_project.core.postgresql.outage import Outage, outage
from providers.models import Connection
from tests.support import bank as banks
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request
from tests.support.sql_statements import counted

pytestmark = pytest.mark.django_db(transaction=True)


def begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an outage known, for this test."""
    monkeypatch.setattr(outage, "_noticed_at", time.monotonic())


@pytest.mark.parametrize(
    ("path", "form"),
    [("/api/v1/providers", "application/problem+json"), ("/connections", "text/html")],
)
def test_who_asks_is_told_in_the_paths_format(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, path: str, form: str
) -> None:
    begin(monkeypatch)
    with counted() as asked:
        answer = api.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer["Content-Type"].startswith(form)
    assert not asked


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/docs", "/.well-known/jwks.json"])
def test_what_needs_no_session_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    begin(monkeypatch)
    assert client.get(path).status_code == 200


def test_who_has_asked_a_platform_stores_what_came(
    api: APIClient, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hand_out(_: Request) -> Answer:
        begin(monkeypatch)
        return bank.tokens()

    state = banks.start(api)
    bank.server.on("POST", "/token", hand_out)
    assert banks.call_back(api, state).status_code == 201
    assert Connection.objects.get().opened().access_token
    assert not bank.revoked
    assert api.get("/api/v1/providers").status_code == 503


def test_one_looks_and_the_others_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "PAUSE", 0)
    found, looking, answered = Outage(), Event(), Event()
    found.begins()

    def look() -> None:
        looking.set()
        answered.wait(10)

    prober = Thread(target=found.is_over, args=[look])
    prober.start()
    assert looking.wait(10)
    assert not found.is_over(pytest.fail)
    answered.set()
    prober.join()
    assert found.is_over(pytest.fail)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it is about the pool")
def test_a_busy_pool_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are refused sessions, as long as there are others."""
    monkeypatch.setattr("connections_project.conf.databases.WAIT_SECONDS", 0.1)
    options = described(connection.settings_dict, pool_size=1, statement_seconds=30)
    busy, waiting = (DatabaseWrapper(connection.settings_dict | options, "busy") for _ in range(2))
    try:
        busy.ensure_connection()
        with pytest.raises(OperationalError):
            waiting.ensure_connection()
        with pytest.raises(psycopg.OperationalError):
            type(busy.connection).connect(host="127.0.0.1", port=1)
        assert outage.is_over(pytest.fail)
    finally:
        busy.close()
        busy.close_pool()
