"""`/healthz` and `/readyz`."""

import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.test import Client

from connections_project import health
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def checks_of(client: Client, *, status: int) -> dict[str, Any]:
    answer = client.get("/readyz")
    assert answer.status_code == status, answer.content
    assert answer.json()["status"] == ("ok" if status == 200 else "unavailable")
    checks: dict[str, Any] = answer.json()["checks"]
    return checks


def test_a_living_process_says_so_without_a_look_at_anything(
    client: Client, django_assert_num_queries: Any
) -> None:
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

    monkeypatch.setattr(type(caches["default"]), "get", away)
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
