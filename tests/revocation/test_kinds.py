"""Each kind of revocation that a catalogue can name, from the disconnect to the platform."""

import base64
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import User
from tests.revocation.conftest import EndOf, processed
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of

Revoked = Callable[..., list[Request]]


@pytest.fixture
def revoked(
    api: APIClient, owner: User, bank: Bank, use_catalogue: Callable[..., None], end: EndOf
) -> Revoked:
    """Revoke as a table of the catalogue says, and give what the platform received."""

    def revoked(table: str, more: str = "") -> list[Request]:
        head = bank.catalogue(more=more).split("[providers.bank.revocation]")[0]
        endpoint = f'endpoint = "{bank.server.url}/revoke"'
        use_catalogue(f"{head}[providers.bank.revocation]\n{endpoint}\n{table}", "bank")
        bank.server.on("DELETE", "/revoke", Answer(200))
        end(connection_of(owner))
        assert processed() == ["revoked"]
        return bank.server.requests_to("/revoke")

    return revoked


def test_rfc7009_by_basic_authentication(revoked: Revoked) -> None:
    first, second = revoked('kind = "rfc7009"')
    credentials = base64.b64encode(b"our+client:client+secret").decode()
    assert first.headers["Authorization"] == f"Basic {credentials}"
    assert [one.form["token"] for one in (first, second)] == ["refresh-0", "access-0"]


def test_rfc7009_with_credentials_in_the_body(revoked: Revoked) -> None:
    first, _ = revoked('kind = "rfc7009"', 'token_endpoint_auth_method = "client_secret_post"')
    assert "Authorization" not in first.headers
    assert (first.form["client_id"], first.form["client_secret"]) == ("our client", "client secret")


def test_rfc7009_without_credentials_for_one_token(revoked: Revoked) -> None:
    (only,) = revoked('kind = "rfc7009"\nclient_auth = false\ntokens = ["access_token"]')
    assert "Authorization" not in only.headers
    assert only.form == {"token": "access-0", "token_type_hint": "access_token"}


def test_bearer_post(revoked: Revoked) -> None:
    (only,) = revoked('kind = "bearer_post"\ntokens = ["access_token"]\nclient_auth = false')
    assert (only.method, only.headers["Authorization"]) == ("POST", "Bearer access-0")


def test_json_post(revoked: Revoked) -> None:
    (only,) = revoked('kind = "json_post"\ntokens = ["refresh_token"]')
    assert only.headers["Content-Type"] == "application/json"
    assert only.json == {
        "client_id": "our client",
        "client_secret": "client secret",
        "token": "refresh-0",
    }


def test_delete(revoked: Revoked) -> None:
    (only,) = revoked('kind = "delete"\ntokens = ["access_token"]')
    assert (only.method, only.headers["Authorization"]) == ("DELETE", "Bearer access-0")


@pytest.mark.parametrize("status", [204, 202])
def test_the_catalogue_says_what_is_success(revoked: Revoked, bank: Bank, status: int) -> None:
    bank.server.on("POST", "/revoke", Answer(status))
    assert len(revoked(f'kind = "rfc7009"\nsuccess_status = [{status}]')) == 2
