"""`make prod-up` and `make prod-down`, in a folder and at a port of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import LazySettings
from django.db import connection

from connections_project.identity.models import User
from connections_project.sandbox.local import keys
from connections_project.sandbox.local.processes import ROOT
from tests.support.platform_server import free_port
from tests.support.process_environment import environment_with

MODULE = "connections_project.sandbox.local.prod"


class Prod:
    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.port = folder, free_port()
        self.environment = environment | {"ADMIN_TOTP_REQUIRED": "true"}
        keys.write(folder / "keys.env")

    def call(self, verb: str, *more: str) -> "subprocess.CompletedProcess[str]":
        chosen = ("--folder", str(self.folder), "--port", str(self.port))
        keys_file = ("--keys", str(self.folder / "keys.env"))
        return subprocess.run(
            [sys.executable, "-m", MODULE, verb, *chosen, *keys_file, *more],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.fixture
def prod(tmp_path: Path) -> Iterator[Prod]:
    prod = Prod(tmp_path, environment_with(catalogue=tmp_path / "none.toml"))
    yield prod
    prod.call("down")


@pytest.mark.django_db(transaction=True)
def test_it_starts_and_stops_production_processes(prod: Prod, settings: LazySettings) -> None:
    if connection.vendor != "postgresql" or not settings.REDIS_URL:
        pytest.skip("it is about PostgreSQL and Redis")
    up = prod.call("up", "--operator", "first@example.com")
    assert up.returncode == 0, up.stderr
    assert "first@example.com" in up.stdout
    assert "otpauth://" in up.stdout
    assert User.objects.get(email="first@example.com").is_staff
    assert f"AUDIT_HEADS_FILE={prod.folder}/prod-audit-heads.jsonl\n" in (
        prod.folder / "prod.env"
    ).read_text("utf-8")
    assert f"https://localhost:{prod.port}" in up.stdout
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(prod.folder / "ca.pem")
        url = f"https://localhost:{prod.port}"
        assert session.get(f"{url}/readyz", timeout=10).json()["status"] == "ok"
        page = session.get(f"{url}/admin/login/", timeout=10)
    # Not the page of DEBUG, and files that were collected.
    assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert "/static/admin/css/base.css" not in page.text
    assert (prod.folder / "prod.env").stat().st_mode & 0o077 == 0
    again = prod.call("up", "--operator", "first@example.com")
    assert again.stdout.startswith("Already up.")
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
    down = prod.call("down")
    assert down.stdout == "Stopped the web.\nStopped the worker.\nStopped the beat.\n"
    assert prod.call("down").stdout == "Nothing is running.\n"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgres://postgres@127.0.0.1:1/connections"),
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
    ],
)
def test_a_store_that_is_away_is_named_in_one_line(tmp_path: Path, name: str, url: str) -> None:
    given = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    if name == "REDIS_URL" and "DATABASE_URL" not in os.environ:
        pytest.skip("it is about PostgreSQL and Redis")
    given |= {"DATABASE_URL": os.environ.get("DATABASE_URL", ""), name: url}
    up = Prod(tmp_path, given).call("up")
    assert up.returncode == 1
    assert up.stderr.startswith(f"prod-up: {name}: no ")
    assert len(up.stderr.splitlines()) == 1
