"""Refreshing, reuse, revocation and introspection of tokens."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.sandbox.conftest import Client
from tests.support.sandbox_server import introspect, running_sandbox


def test_a_refresh_replaces_the_pair(client: Client) -> None:
    old = client.connect()
    new = client.refresh(old["refresh_token"]).json()
    assert new["refresh_token"] != old["refresh_token"]
    assert client.read("/api/accounts", new["access_token"]).status_code == 200
    assert client.read("/api/accounts", old["access_token"]).status_code == 401
    assert introspect(client.handle, old["refresh_token"]) == {"active": False}


def test_a_used_refresh_token_ends_its_whole_family(client: Client) -> None:
    first = client.connect()
    second = client.refresh(first["refresh_token"]).json()
    third = client.refresh(second["refresh_token"]).json()
    bystander = client.connect()
    reuse = client.refresh(first["refresh_token"])
    assert (reuse.status_code, reuse.json()["error"]) == (400, "invalid_grant")
    assert client.read("/api/accounts", third["access_token"]).status_code == 401
    assert client.refresh(third["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.read("/api/accounts", bystander["access_token"]).status_code == 200


def test_parallel_uses_of_a_refresh_token_win_once(client: Client) -> None:
    token = client.connect()["refresh_token"]
    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(client.refresh, [token] * 10))
    assert sorted(response.status_code for response in responses) == [200] + [400] * 9
    won = next(response.json() for response in responses if response.status_code == 200)
    # The nine were a reuse, so what the one got is dead as well.
    assert client.read("/api/accounts", won["access_token"]).status_code == 401


def test_revoking_the_refresh_token_ends_both(client: Client) -> None:
    tokens = client.connect()
    for name in ("refresh_token", "access_token"):
        assert introspect(client.handle, tokens[name])["active"] is True
    assert client.revoke(tokens["refresh_token"]).status_code == 200
    for name in ("refresh_token", "access_token"):
        assert introspect(client.handle, tokens[name]) == {"active": False}
    assert client.revoke(tokens["access_token"]).status_code == 200
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_revoking_a_token_that_never_was_is_a_success(client: Client) -> None:
    assert client.revoke("never-issued").status_code == 200


def test_revoking_needs_the_client(client: Client) -> None:
    tokens = client.connect()
    response = requests.post(
        f"{client.handle.url}/oauth/revoke",
        data={"token": tokens["access_token"]},
        auth=(client.handle.client_id, "wrong"),
        timeout=10,
    )
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert introspect(client.handle, tokens["access_token"])["active"] is True


def test_introspection_shows_a_clients_own_token(client: Client) -> None:
    tokens = client.connect(person="grace", scope="accounts")
    answer = introspect(client.handle, tokens["access_token"])
    assert answer["active"] is True
    assert answer["client_id"] == client.handle.client_id
    assert (answer["username"], answer["scope"]) == ("grace", "accounts")


def test_introspection_needs_the_client_secret(client: Client) -> None:
    token = client.connect()["access_token"]
    url = f"{client.handle.url}/oauth/introspect"
    for auth in (None, (client.handle.client_id, "wrong")):
        response = requests.post(url, data={"token": token}, auth=auth, timeout=10)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic")
    bearer = {"Authorization": f"Bearer {token}"}
    response = requests.post(url, data={"token": token}, headers=bearer, timeout=10)
    assert response.status_code == 401


def test_an_expired_access_token_can_be_refreshed(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, access_token_seconds=1) as handle:
        client = Client(handle)
        tokens = client.connect()
        assert tokens["expires_in"] == 1
        time.sleep(1.1)
        aged = client.read("/api/accounts", tokens["access_token"])
        assert aged.status_code == 401
        assert 'error="invalid_token"' in aged.headers["WWW-Authenticate"]
        assert introspect(handle, tokens["access_token"]) == {"active": False}
        fresh = client.refresh(tokens["refresh_token"]).json()
        assert client.read("/api/accounts", fresh["access_token"]).status_code == 200


def test_another_clients_token_looks_like_none(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        tokens = Client(first).connect()
    # The same database, and a client of its own for each start.
    with running_sandbox(tmp_path) as second:
        assert introspect(second, tokens["access_token"]) == {"active": False}
        assert introspect(second, tokens["refresh_token"]) == {"active": False}
        assert Client(second).revoke(tokens["refresh_token"]).status_code == 200
        assert Client(second).read("/api/accounts", tokens["access_token"]).status_code == 200
