"""Dockerfile and compose.yaml name what is there; no engine is needed to see that."""

import re
from typing import Any

import pytest
import yaml

from connections_project.celery import app
from connections_project.sandbox.local.processes import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def services() -> dict[str, Any]:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services: dict[str, Any] = compose["services"]
    return services


def test_the_image_holds_the_service_and_no_more() -> None:
    copied = re.findall(r"^COPY (\S+) \./", DOCKERFILE, flags=re.MULTILINE)
    assert all((ROOT / one).exists() for one in copied)
    parts = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert parts | {"templates", "docs", "manage.py", "requirements.lock"} == set(copied)
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert set(allowed) == set(copied)


def test_it_runs_unprivileged_with_a_health_check() -> None:
    assert DOCKERFILE.index("\nUSER connections") < DOCKERFILE.index("\nCMD ")
    assert "\nHEALTHCHECK " in DOCKERFILE
    assert "--respawn-failed-workers" in DOCKERFILE


def test_singletons_are_single_and_await_tables(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "beat"}
    assert services["migrate"]["environment"]["DATABASE_URL"].startswith("postgres://")
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"}
        }
    for name in ("worker", "beat"):
        assert services[name]["command"] == ["celery", "-A", app.main, name]


def test_the_image_is_served_by_rsgi() -> None:
    assert '"rsgi"' in DOCKERFILE
    assert '"connections_project.rsgi:application"' in DOCKERFILE


def test_redis_has_a_password(services: dict[str, Any]) -> None:
    redis = services["redis"]
    assert redis["environment"]["REDISCLI_AUTH"].startswith("${REDIS_PASSWORD:?")
    assert "requirepass $$REDISCLI_AUTH" in redis["command"][-1]
    for name in ("migrate", "web", "worker", "beat"):
        url = services[name]["environment"]["REDIS_URL"]
        assert url.startswith("redis://:${REDIS_PASSWORD:?")


def test_containers_can_do_little(services: dict[str, Any]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert "--require-hashes" in DOCKERFILE


def test_worker_and_beat_are_probed_and_scraped(services: dict[str, Any]) -> None:
    for name in ("worker", "beat"):
        port = services[name]["environment"]["BACKGROUND_ADDRESS"].rpartition(":")[2]
        assert f"127.0.0.1:{port}/healthz" in services[name]["healthcheck"]["test"][-1]
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "scrape.yml").read_text())
    targets = [
        target
        for job in scraped["scrape_configs"]
        for config in job["static_configs"]
        for target in config["targets"]
    ]
    assert f"worker:{port}" in targets
