"""Which bucket each call draws on, and that every answer shows it (docs/api.md, "Rate limits")."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.support.bank import Bank
from tests.support.channel_disconnects import CONNECTIONS
from tests.support.channel_errors import refusal
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.channel_scheduling import SCHEDULES
from tests.support.chirp import Chirp, call_back, start
from tests.support.provider_rows import connection_of

READ, WRITE, CONNECT, SYNC, ANONYMOUS = 100, 50, 5, 10, 60
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
C = "/api/v1/channels"

CALLS: list[tuple[int, str, str, Any]] = [
    (READ, "get", CONNECTIONS, None),
    (READ, "get", f"{CONNECTIONS}?status=x", None),
    (READ, "get", f"{CONNECTIONS}/{{id}}", None),
    (READ, "get", f"{CONNECTIONS}/nonsense", None),
    (READ, "get", f"{CONNECTIONS}/{{id}}/publish-events", None),
    (READ, "get", SCHEDULES, None),
    (READ, "get", f"{SCHEDULES}/{{schedule}}", None),
    (READ, "get", f"{SCHEDULES}/{{none}}", None),
    (WRITE, "delete", f"{CONNECTIONS}/{{id}}", None),
    (WRITE, "delete", f"{CONNECTIONS}/{{none}}", None),
    (WRITE, "post", SCHEDULES, {}),
    (WRITE, "post", f"{SCHEDULES}/{{schedule}}/cancel", None),
    (WRITE, "post", f"{SCHEDULES}/nonsense/cancel", None),
    (WRITE, "post", f"{SCHEDULES}/bulk-cancel", {"channel_connection_id": "x"}),
    (CONNECT, "post", f"{C}/connect", {"channel": "chirp"}),
    (CONNECT, "post", f"{C}/connect", {"channel": "unknown"}),
    (CONNECT, "post", f"{C}/callback", None),
    (CONNECT, "post", f"{C}/callback?code=c&state=unknown", None),
    (SYNC, "post", f"{CONNECTIONS}/{{id}}/refresh", {}),
    (SYNC, "post", f"{CONNECTIONS}/{{none}}/refresh", {}),
    (SYNC, "post", f"{CONNECTIONS}/nonsense/refresh", {"force": 7}),
]


def call(api: APIClient, method: str, url: str, body: Any) -> Any:
    return (
        getattr(api, method)(url, body, format="json")
        if body is not None
        else getattr(api, method)(url)
    )


def left(answer: Any) -> int:
    return int(answer[HEADERS[1]])


@pytest.mark.parametrize(("burst", "method", "path", "body"), CALLS)
def test_each_call_shows_its_bucket(
    api: APIClient, row: ChannelConnection, burst: int, method: str, path: str, body: Any
) -> None:
    url = path.format(id=row.pk, none=uuid7(), schedule=schedule_of(row).pk)
    answer = call(api, method, url, body)
    assert answer.status_code < 500
    limit, remaining, _ = (int(answer[name]) for name in HEADERS)
    assert (limit, remaining) == (burst, burst - 1)


@pytest.mark.parametrize(
    ("burst", "method", "path", "body"), [one for one in CALLS if "callback" not in one[2]]
)
def test_calls_without_credentials_count_by_address(
    anonymous: APIClient, row: ChannelConnection, burst: int, method: str, path: str, body: Any
) -> None:
    url = path.format(id=row.pk, none=uuid7(), schedule=uuid7())
    answer = call(anonymous, method, url, body)
    assert refusal(answer) == (401, "AUTHENTICATION_REQUIRED")
    assert (answer[HEADERS[0]], left(answer)) == (str(ANONYMOUS), ANONYMOUS - 1)


def test_one_bucket_a_policy_over_all_apps(
    api: APIClient, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue() + Bank(chirp.server).catalogue(), "chirp", "bank")
    calls = [CONNECTIONS, "/api/v1/providers", SCHEDULES, "/api/v1/accounts"]
    assert [left(api.get(url)) for url in calls] == [99, 98, 97, 96]
    body = {"provider_slug": "bank"}
    assert left(api.post("/api/v1/providers", body, format="json")) == 4
    assert left(api.post(f"{C}/connect", {"channel": "chirp"}, format="json")) == 3


def test_refreshes_are_counted_for_each_platform(
    api: APIClient, owner: User, row: ChannelConnection, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    bank = Bank(chirp.server)
    use_catalogue(chirp.catalogue() + bank.catalogue(), "chirp", "bank")
    sibling = channel_of(owner, account_id="another")
    provider = connection_of(owner)
    urls = [f"{CONNECTIONS}/{each.pk}/refresh" for each in (row, sibling)]
    urls.append(f"/api/v1/providers/{provider.pk}/token-refreshes")
    assert [left(api.post(url)) for url in urls] == [9, 8, 9]


def test_a_callback_counts_for_the_states_user(
    api: APIClient, anonymous: APIClient, chirp: Chirp
) -> None:
    answer = call_back(anonymous, start(api))
    assert (answer.status_code, left(answer)) == (201, 3)


def test_a_limited_callback_keeps_the_state(
    api: APIClient, anonymous: APIClient, chirp: Chirp, unlimited_later: Any
) -> None:
    states = [start(api) for _ in range(CONNECT)]
    answer = call_back(anonymous, states[0])
    assert refusal(answer) == (429, "RATE_LIMIT_EXCEEDED")
    assert int(answer["Retry-After"]) > 0
    assert chirp.server.requests == []
    unlimited_later()
    assert call_back(anonymous, states[0]).status_code == 201


@pytest.fixture
def unlimited_later(monkeypatch: pytest.MonkeyPatch) -> Any:
    name = "connections_project.api.throttling.consume"
    return lambda: monkeypatch.setattr(name, lambda *_: None)
