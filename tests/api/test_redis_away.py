"""Without Redis requests are served unlimited, which is logged and counted, until it is back."""

import secrets
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from connections_project.api import rate_limits
from connections_project.api.rate_limits import Policy, consume
from tests.support.metric_values import metric_value
from tests.support.redis_server import url_or_skip
from tests.support.relay import Relay

POLICY = Policy(f"AWAY_{secrets.token_hex(4)}", burst=3, per_minute=3)


@pytest.fixture
def relay(settings: Any) -> Iterator[Relay]:
    """A Redis that a test takes away and brings back."""
    relay = Relay(url_or_skip())
    settings.REDIS_URL = relay.url
    yield relay
    rate_limits.redis_buckets.cache_clear()


@pytest.fixture
def silent(settings: Any) -> Iterator[None]:
    """A Redis that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield
        rate_limits.redis_buckets.cache_clear()


def test_without_redis_it_serves_then_limits_again(relay: Relay) -> None:
    key = secrets.token_hex(4)
    with relay.open():
        first = consume(POLICY, key)
        assert first is not None
        assert first.remaining == 2
    assert [consume(POLICY, key) for _ in range(5)] == [None] * 5
    with relay.open():
        second = consume(POLICY, key)
        assert second is not None
        assert second.remaining == 1


def test_each_skipped_check_is_counted_and_logged(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    name = "connections_rate_limit_fail_opens_total"
    before = metric_value(name, policy=POLICY.name)
    for _ in range(3):
        consume(POLICY, "somebody")
    assert metric_value(name, policy=POLICY.name) - before == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert "Redis is away (ConnectionError)" in caplog.text


def test_a_silent_redis_is_not_waited_for(silent: None) -> None:
    started = time.monotonic()
    assert consume(POLICY, "somebody") is None
    assert time.monotonic() - started < 5


def test_a_request_is_served_without_the_headers(site: Client, silent: None) -> None:
    for _ in range(3):
        response = site.get("/api/limited", headers={"Authorization": "Bearer good"})
        assert response.status_code == 200
        assert not [name for name in response.headers if name.startswith("X-RateLimit")]
