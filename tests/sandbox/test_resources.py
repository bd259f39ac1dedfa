"""What a connected client may read, and what it may not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import requests

from connections_project.sandbox.scopes import SCOPES
from tests.sandbox.conftest import Client
from tests.support.sandbox_server import SandboxHandle


def test_userinfo_names_the_person(client: Client) -> None:
    token = client.connect(person="grace")["access_token"]
    response = client.read("/oauth/userinfo", token)
    assert response.json() == {"sub": "grace", "name": "Grace Hopper"}


def test_accounts_are_ones_own_with_exact_balances(client: Client) -> None:
    accounts = client.read("/api/accounts", client.connect()["access_token"]).json()["accounts"]
    assert [account["id"] for account in accounts] == ["ada-current", "ada-savings"]
    for account in accounts:
        assert account.keys() == {"id", "name", "type", "currency", "balance"}
        assert Decimal(account["balance"]).as_tuple().exponent == -2


def test_transactions_cover_the_last_months(client: Client) -> None:
    token = client.connect()["access_token"]
    entries = client.read("/api/accounts/ada-current/transactions", token).json()["transactions"]
    assert len(entries) > 100
    assert {"Salary, Analytical Engines Ltd", "City Transit"} <= {
        entry["description"] for entry in entries
    }
    moments = [datetime.fromisoformat(entry["posted_at"]) for entry in entries]
    assert moments == sorted(moments, reverse=True)
    now = datetime.now(UTC)
    assert now - timedelta(days=4) < moments[0] < now
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert all(entry["currency"] == "GBP" for entry in entries)
    assert all(Decimal(entry["amount"]).as_tuple().exponent == -2 for entry in entries)


def test_a_balance_is_the_opening_plus_movements(client: Client) -> None:
    token = client.connect(person="grace")["access_token"]
    savings = client.read("/api/accounts", token).json()["accounts"][1]
    moved = client.read(f"/api/accounts/{savings['id']}/transactions", token).json()["transactions"]
    total = sum(Decimal(entry["amount"]) for entry in moved)
    assert Decimal(savings["balance"]) == Decimal("15400.00") + total
    assert total > 0


def test_another_persons_account_is_not_found(client: Client) -> None:
    token = client.connect(person="grace")["access_token"]
    theirs = client.read("/api/accounts/ada-current/transactions", token)
    nobodys = client.read("/api/accounts/no-such/transactions", token)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content


def test_a_missing_or_wrong_token_is_challenged(
    client: Client,
) -> None:
    for path in ("/api/accounts", "/api/accounts/ada-current/transactions", "/oauth/userinfo"):
        bare, wrong = client.read(path, None), client.read(path, "wrong")
        assert bare.status_code == wrong.status_code == 401
        # RFC 6750, section 3.1: no error code where no token was sent.
        assert bare.headers["WWW-Authenticate"] == 'Bearer realm="Sandbox Bank"'
        assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]


def test_a_token_in_the_address_is_not_taken(client: Client) -> None:
    token = client.connect()["access_token"]
    url = f"{client.handle.url}/api/accounts"
    assert requests.get(url, params={"access_token": token}, timeout=10).status_code == 401


def test_a_narrower_scope_opens_no_more_than_it_says(client: Client) -> None:
    token = client.connect(scope="accounts")["access_token"]
    assert client.read("/api/accounts", token).status_code == 200
    refused = client.read("/api/accounts/ada-current/transactions", token)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


def test_the_metadata_says_what_the_server_does(sandbox: SandboxHandle) -> None:
    url = f"{sandbox.url}/.well-known/oauth-authorization-server"
    metadata = requests.get(url, timeout=10).json()
    assert metadata["issuer"] == sandbox.url
    assert metadata["authorization_endpoint"] == f"{sandbox.url}/oauth/authorize"
    assert metadata["token_endpoint"] == f"{sandbox.url}/oauth/token"
    assert metadata["revocation_endpoint"] == f"{sandbox.url}/oauth/revoke"
    assert metadata["introspection_endpoint"] == f"{sandbox.url}/oauth/introspect"
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert metadata["scopes_supported"] == sorted(SCOPES)
    assert set(metadata["token_endpoint_auth_methods_supported"]) == {
        "client_secret_basic",
        "client_secret_post",
    }
