"""Calls to platforms: what for, with what outcome, in what time."""

import time

import pytest
from rest_framework.test import APIClient

from connections_project.oauth import client
from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration, TokenSet
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.observers import calling
from connections_project.oauth.transport import Request, send
from connections_project.platforms.publishing import PublishSession
from connections_project.platforms.registry import upstream
from tests.support.bank import Bank, connect
from tests.support.metric_values import metric_value
from tests.support.platform_server import Answer, PlatformServer

COUNT = "connections_outbound_duration_seconds_count"
SUM = "connections_outbound_duration_seconds_sum"

pytestmark = pytest.mark.django_db(transaction=True)


def calls(kind: str, outcome: str = "success", name: str = COUNT) -> float:
    return metric_value(name, platform="bank", kind=kind, outcome=outcome)


def bank_upstream() -> tuple[Platform, ClientRegistration]:
    found = upstream("bank")
    assert found
    return found.platform, found.registration


def test_each_outbound_call_is_counted_by_purpose(api: APIClient, bank: Bank) -> None:
    kinds = ("exchange", "identify", "refresh", "read", "revoke")
    before = {kind: calls(kind) for kind in kinds}
    connection = connect(api)
    path = f"/api/v1/providers/{connection.pk}"
    api.post(f"{path}/token-refreshes", {"force": True}, format="json")
    api.post("/api/v1/accounts/syncs", {"connection_id": str(connection.pk)}, format="json")
    api.delete(path)
    # A sync reads the accounts and one account's transactions; both tokens are revoked.
    new = {kind: calls(kind) - before[kind] for kind in kinds}
    assert new == {"exchange": 1, "identify": 1, "refresh": 1, "read": 2, "revoke": 2}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(503), "unavailable"),
        (Answer(500), "server_error"),
        (Answer(429), "rate_limited"),
        (Answer(302), "redirected"),
        (Answer(400, json={"error": "invalid_grant"}), "refused"),
        (Answer(401, json={"error": "invalid_client"}), "invalid_client"),
        (Answer(reset=True), "reset"),
    ],
)
def test_a_failure_is_counted_by_its_code(bank: Bank, answer: Answer, outcome: str) -> None:
    bank.server.on("POST", "/revoke", answer)
    before = calls("revoke", outcome)
    with pytest.raises(PlatformError):
        client.revoke(*bank_upstream(), tokens=TokenSet(access_token="some-access-token"))
    assert calls("revoke", outcome) == before + 1


def test_an_abandoned_calls_time_is_counted(bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(delay=2))
    before = calls("refresh", "timeout", SUM)
    with pytest.raises(PlatformError):
        client.refresh(*bank_upstream(), refresh_token="some-refresh-token", within=0.2)
    assert 0.2 <= calls("refresh", "timeout", SUM) - before < 1


def test_what_a_session_publishes_is_counted(bank: Bank) -> None:
    bank.server.on("POST", "/posts", Answer(json={"id": "1"}))
    found = upstream("bank")
    assert found
    session = PublishSession(
        found, TokenSet("some-access-token"), time.monotonic() + 5, lambda: None
    )
    before = calls("publish")
    session.call(Request("POST", f"{bank.server.url}/posts"))
    assert calls("publish") == before + 1


def test_adapter_calls_count_for_their_operation(server: PlatformServer) -> None:
    server.on("GET", "/", Answer())
    request = Request("GET", f"{server.url}/")
    before = [calls("publish"), calls("read"), calls("other")]
    with calling("publish"), calling("read"):
        send(request, platform="bank", within=5)
    send(request, platform="bank", within=5)
    assert [calls("publish"), calls("read"), calls("other")] == [
        before[0] + 1,
        before[1],
        before[2] + 1,
    ]
