"""The sandbox as an issuer: tokens that the service takes, for whoever knows a password."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.test import Client

from connections_project.conf.issuers import read_identity
from connections_project.sandbox.catalogue import issuers_toml
from connections_project.sandbox.people import PEOPLE
from tests.support.sandbox_server import SandboxHandle

ADA = PEOPLE["ada"]


def sign_in(sandbox: SandboxHandle, password: str) -> requests.Response:
    credentials = {"username": ADA.username, "password": password}
    return requests.post(f"{sandbox.url}/issuer/token", data=credentials, timeout=5)


@pytest.mark.django_db
def test_its_people_come_in(sandbox: SandboxHandle, tmp_path: Path, settings: LazySettings) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(issuers_toml(sandbox.url), encoding="utf-8")
    settings.IDENTITY = read_identity(path)
    token = sign_in(sandbox, ADA.password).json()["access_token"]
    answer: Any = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["email"] == "ada@example.org"
    assert answer.json()["issuer"] == sandbox.url


def test_a_wrong_password_gets_no_token(sandbox: SandboxHandle) -> None:
    refused = sign_in(sandbox, "wrong")
    assert refused.status_code == 400
    assert refused.json() == {"error": "invalid_grant"}


def test_its_private_key_is_not_published(sandbox: SandboxHandle) -> None:
    published = requests.get(f"{sandbox.url}/issuer/keys", timeout=5)
    assert '"d"' not in json.dumps(published.json())
