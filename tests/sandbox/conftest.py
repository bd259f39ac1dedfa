"""One sandbox for all these tests, and a plain client that does nothing but what RFC 6749 says."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.support.sandbox_server import SandboxHandle, authorize, running_sandbox


@dataclass(frozen=True)
class Client:
    handle: SandboxHandle

    def authorization_url(self, *, verifier: str, **changed: str | None) -> str:
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.handle.client_id,
            "redirect_uri": self.handle.redirect_uri,
            "scope": "profile accounts transactions",
            "state": "a state",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        } | changed
        given = {name: value for name, value in asked.items() if value is not None}
        return f"{self.handle.url}/oauth/authorize?{urlencode(given)}"

    def token(self, *, basic: bool = True, **fields: str) -> requests.Response:
        credentials = (self.handle.client_id, self.handle.client_secret)
        url = f"{self.handle.url}/oauth/token"
        if basic:
            return requests.post(url, data=fields, auth=credentials, timeout=10)
        posted = {"client_id": credentials[0], "client_secret": credentials[1]}
        return requests.post(url, data=fields | posted, timeout=10)

    def exchange(self, callback: str, *, verifier: str, basic: bool = True) -> requests.Response:
        return self.token(
            grant_type="authorization_code",
            code=answer_in(callback)["code"],
            redirect_uri=self.handle.redirect_uri,
            code_verifier=verifier,
            basic=basic,
        )

    def connect(self, *, person: str = "ada", **changed: str) -> dict[str, Any]:
        verifier = secrets.token_urlsafe(48)
        url = self.authorization_url(verifier=verifier, **changed)
        response = self.exchange(authorize(self.handle, url, person=person), verifier=verifier)
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    def refresh(self, refresh_token: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, token: str) -> requests.Response:
        return requests.post(
            f"{self.handle.url}/oauth/revoke",
            data={"token": token},
            auth=(self.handle.client_id, self.handle.client_secret),
            timeout=10,
        )

    def read(self, path: str, access_token: str | None) -> requests.Response:
        headers = {} if access_token is None else {"Authorization": f"Bearer {access_token}"}
        return requests.get(f"{self.handle.url}{path}", headers=headers, timeout=10)


def answer_in(callback: str) -> dict[str, str]:
    """Return the parameters of a callback address, each of which must be there once."""
    found = parse_qs(urlsplit(callback).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as handle:
        yield handle


@pytest.fixture
def client(sandbox: SandboxHandle) -> Client:
    return Client(sandbox)
