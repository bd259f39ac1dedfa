"""`/healthz` and `/readyz`."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.test import Client

from connections_project.core import health
from tests.support.platform_server import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test share a look that another one has left hanging."""
    monkeypatch.setattr(health, "_probes", {})


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A broker that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=500) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def checks_of(client: Client, *, status: int) -> dict[str, Any]:
    answer = client.get("/readyz")
    assert answer.status_code == status, answer.content
    assert answer.json()["status"] == ("ok" if status == 200 else "unavailable")
    checks: dict[str, Any] = answer.json()["checks"]
    return checks


def test_liveness_checks_nothing(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_it_is_ready_where_all_answer(client: Client) -> None:
    checks = checks_of(client, status=200)
    assert {"database", "cache"} <= set(checks)
    assert all(check["ok"] and check["milliseconds"] >= 0 for check in checks.values())


def test_a_broker_that_is_away_is_named(client: Client, settings: LazySettings) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    checks = checks_of(client, status=503)
    assert checks["broker"] == {"ok": False, "milliseconds": None}
    assert checks["database"]["ok"]


def test_a_cache_that_is_away_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(type(caches["default"]), "set", away)
    checks = checks_of(client, status=503)
    assert (checks["cache"]["ok"], checks["database"]["ok"]) == (False, True)


def test_a_database_that_hangs_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LONGEST_SECONDS", 0.3)
    monkeypatch.setattr(health, "_ask_database", lambda: time.sleep(1))
    began = time.monotonic()
    assert checks_of(client, status=503)["database"]["ok"] is False
    assert time.monotonic() - began < 0.9


def test_a_silent_broker_is_named_in_time(
    client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, black_hole: str
) -> None:
    monkeypatch.setattr(health, "LONGEST_SECONDS", 0.3)
    settings.CELERY_BROKER_URL = black_hole
    began = time.monotonic()
    checks = checks_of(client, status=503)
    assert time.monotonic() - began < 0.9
    assert checks["broker"] == {"ok": False, "milliseconds": None}
    assert checks["database"]["ok"]
    assert checks["cache"]["ok"]


def test_hundreds_of_hanging_probes_use_one_thread(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_back = threading.Event()
    monkeypatch.setattr(health, "LONGEST_SECONDS", 0.2)
    monkeypatch.setattr(health, "_ask_database", lambda: is_back.wait(10))
    before, began = threading.active_count(), time.monotonic()
    for _ in range(200):
        assert checks_of(client, status=503)["database"]["ok"] is False
    # Only the first one has waited, where all of them would have taken 40 s.
    assert time.monotonic() - began < 20
    assert threading.active_count() - before <= 2
    is_back.set()
    health._probes["database"].join(5)
    assert checks_of(client, status=200)["database"]["ok"]


def test_a_lost_check_does_not_block_readiness(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr(health, "LONGEST_SECONDS", 0.2)
    monkeypatch.setattr(health, "LOST_SECONDS", 0.4)
    with monkeypatch.context() as patch:
        patch.setattr(health, "_ask_database", lambda: never.wait(10))
        checks_of(client, status=503)
    checks_of(client, status=503)
    time.sleep(0.3)
    assert checks_of(client, status=200)["database"]["ok"]
    never.set()
