"""Each shipped platform is asked as its entry says: where, by whom, for what."""

from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from connections_project.oauth import pkce
from tests.platforms.contract.conftest import (
    ACCOUNT_ID,
    CLIENT_ID,
    PLATFORMS,
    Actor,
    authenticates,
)
from tests.support.bank import REDIRECT_URI, query_of

pytestmark = pytest.mark.django_db

PROVIDERS = [slug for slug, one in PLATFORMS.items() if one.app == "providers"]


def test_the_authorization_request_fits_the_platform(api: APIClient, actor: Actor) -> None:
    platform, begun = actor.platform, actor.app_client.begin(api, actor.platform.slug)
    url = begun["authorization_url"]
    assert urlsplit(url)._replace(query="").geturl() == actor.moved(platform.authorization_endpoint)
    expected = {
        "response_type": "code",
        platform.client_id_parameter: CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "state": begun["state"],
        **platform.extra_authorization_params,
    }
    if platform.scopes:
        expected["scope"] = platform.scope_separator.join(platform.scopes)
    if platform.code_challenge_method == "S256":
        expected |= {"code_challenge": query_of(url)["code_challenge"]}
        expected |= {"code_challenge_method": "S256"}
    assert query_of(url) == expected


def test_its_code_is_exchanged_as_it_wants(api: APIClient, actor: Actor) -> None:
    begun = actor.app_client.begin(api, actor.platform.slug)
    assert actor.app_client.call_back(api, begun["state"]).status_code == 201
    (request,) = actor.token_requests
    form = request.form
    assert authenticates(request, actor.platform)
    assert form["grant_type"] == "authorization_code"
    assert (form["code"], form["redirect_uri"]) == ("the-code", REDIRECT_URI)
    challenge = query_of(begun["authorization_url"]).get("code_challenge")
    verifier = form.get("code_verifier")
    assert (pkce.challenge(verifier) if verifier else None) == challenge


def test_the_account_is_read_where_it_stands(api: APIClient, actor: Actor) -> None:
    connection = actor.connect(api)
    assert connection.status == actor.app_client.live
    assert connection.platform_account_id == ACCOUNT_ID
    assert connection.granting_user_id == actor.granting_user
    # However the platform parts them, here they are parted as RFC 6749 does.
    assert connection.granted_scope == " ".join(actor.platform.scopes)
    days = actor.platform.grant_lifetime_days
    assert connection.connected_at
    left = connection.grant_expires_at and connection.grant_expires_at - connection.connected_at
    assert (left.days if left else 0) == days
    if actor.platform.identity_endpoint:
        (request,) = actor.server.requests_to(actor.path("identity_endpoint"))
        assert request.headers["Authorization"] == f"Bearer {actor.issued[0]['access_token']}"
    # The same account again is the same connection.
    begun = actor.app_client.begin(api, actor.platform.slug)
    again = actor.app_client.call_back(api, begun["state"])
    assert actor.app_client.id_of_repeated(again) == str(connection.pk)
    assert actor.app_client.model.objects.count() == 1
