"""Servers that differ from the common one in a way that their table can say."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.oauth.client import ClientRegistration
from connections_project.revocation.models import RevocationJob
from providers.models import Connection, Status
from tests.conftest import UseCatalogue
from tests.support.bank import REDIRECT_URI, call_back, connect, query_of, start
from tests.support.platform_server import Answer, PlatformServer

pytestmark = pytest.mark.django_db(transaction=True)

Table = Callable[..., None]


@pytest.fixture
def table(server: PlatformServer, use_catalogue: UseCatalogue) -> Table:
    """Lay a table over the catalogue that has two endpoints, and what else is said here."""

    def table(more: str = "", *, query: str = "", **tokens: Any) -> None:
        use_catalogue(
            f"""
[providers.other]
name = "Other"
authorization_endpoint = "{server.url}/authorize{query}"
token_endpoint = "{server.url}/token{query}"
{more.replace("HERE", server.url)}
""",
            "other",
        )
        given = {"access_token": "an-access-token", "token_type": "bearer", **tokens}
        server.on("POST", "/token", Answer(json=given))

    return table


def test_two_endpoints_and_a_name_are_enough(
    table: Table, api: APIClient, server: PlatformServer
) -> None:
    table()
    connection = connect(api, "other")
    assert (connection.status, connection.platform_account_id) == (Status.ACTIVE, None)
    path = f"/api/v1/providers/{connection.pk}"
    refreshed = api.post(f"{path}/token-refreshes", {}, format="json")
    assert (refreshed.status_code, refreshed.json()["expires_at"]) == (201, None)
    sync = {"connection_id": str(connection.pk)}
    # Nothing says where its accounts are, which is not "0 accounts read".
    assert api.post("/api/v1/accounts/syncs", sync, format="json").status_code == 502
    ended = api.delete(path)
    assert (ended.status_code, ended.headers.get("Link")) == (204, None)
    assert not RevocationJob.objects.exists()
    assert len(server.requests) == 1


def test_no_identity_makes_two_flows_two_connections(table: Table, api: APIClient) -> None:
    table()
    assert connect(api, "other").pk != connect(api, "other").pk
    assert Connection.objects.filter(status=Status.ACTIVE).count() == 2


def test_a_public_client_needs_no_secret(
    table: Table, api: APIClient, server: PlatformServer, settings: LazySettings
) -> None:
    table('token_endpoint_auth_method = "none"')
    settings.OAUTH_CLIENTS["other"] = asdict(ClientRegistration("public", "", (REDIRECT_URI,)))
    connect(api, "other")
    (request,) = server.requests
    assert request.form["client_id"] == "public"
    assert request.form["code_verifier"]
    assert "Authorization" not in request.headers
    assert "client_secret" not in request.form


def test_queries_of_endpoints_are_kept(
    table: Table, api: APIClient, server: PlatformServer
) -> None:
    table(query="?tenant=a%20b&empty=")
    url = api.post("/api/v1/providers", {"provider_slug": "other"}, format="json").json()
    parameters = parse_qsl(urlsplit(url["authorization_url"]).query, keep_blank_values=True)
    assert parameters[:2] == [("tenant", "a b"), ("empty", "")]
    assert dict(parameters)["state"] == url["state"]
    assert call_back(api, url["state"]).status_code == 201
    assert server.requests[0].query == {"tenant": "a b", "empty": ""}


def test_a_client_id_may_have_another_name(
    table: Table, api: APIClient, server: PlatformServer
) -> None:
    more = 'client_id_parameter = "client_key"\ntoken_endpoint_auth_method = "client_secret_post"'
    table(more)
    url = api.post("/api/v1/providers", {"provider_slug": "other"}, format="json").json()
    query = query_of(url["authorization_url"])
    assert query["client_key"] == "our client"
    assert "client_id" not in query
    call_back(api, url["state"])
    assert server.requests[0].form["client_key"] == "our client"


def test_the_account_may_stand_in_the_token_response(table: Table, api: APIClient) -> None:
    table('account_id_field = "user.0.number"', user=[{"number": 42}])
    assert connect(api, "other").platform_account_id == "42"


@pytest.mark.parametrize("kind", ["rfc7009", "bearer_post", "json_post", "delete"])
def test_each_kind_of_revocation_can_be_named(
    table: Table, api: APIClient, server: PlatformServer, kind: str
) -> None:
    method = "DELETE" if kind == "delete" else "POST"
    table(
        f"""[providers.other.revocation]
kind = "{kind}"
endpoint = "HERE/gone"
tokens = ["access_token"]
client_auth = false
success_status = [204]"""
    )
    server.on(method, "/gone", Answer(204))
    connection = connect(api, "other")
    assert api.delete(f"/api/v1/providers/{connection.pk}").status_code == 204
    (request,) = server.requests_to("/gone")
    result = f"{request.headers.get('Authorization')} {request.body.decode()}"
    assert "an-access-token" in result
    assert "client" not in result
    assert RevocationJob.objects.get().state == "revoked"


def test_an_issuer_is_required_where_the_table_says(
    table: Table, api: APIClient, server: PlatformServer
) -> None:
    issuer = "https://issuer.example.com"
    table(f'issuer = "{issuer}"\nauthorization_response_iss_parameter_supported = true')
    assert call_back(api, start(api, "other")).status_code == 400
    assert call_back(api, start(api, "other"), iss=f"{issuer}/").status_code == 400
    assert server.requests == []
    assert call_back(api, start(api, "other"), iss=issuer).status_code == 201
