"""Each shipped platform is told of a disconnect as its entry says, or not at all."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.oauth.catalog import Platform
from connections_project.revocation.models import JobState, RevocationJob
from providers.models import Status
from tests.bank import connect
from tests.contract.conftest import CLIENT_ID, CLIENT_SECRET, Actor, authenticates
from tests.servers import Request

pytestmark = pytest.mark.django_db(transaction=True)


def is_told(platform: Platform) -> bool:
    return platform.revocation is not None and platform.revocation.blast_radius != "client"


def token_of(request: Request, platform: Platform) -> str:
    """Give the token that a revocation names, after a look at how it is asked for."""
    assert platform.revocation
    in_header: str = request.headers.get("Authorization", "").removeprefix("Bearer ")
    match platform.revocation.kind:
        case "rfc7009":
            assert authenticates(request, platform) is platform.revocation.client_auth
            return request.form["token"]
        case "bearer_post":
            _bears_our_credentials(request, platform)
            return in_header
        case "json_post":
            wanted = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
            expected: dict[str, Any] = wanted if platform.revocation.client_auth else {}
            assert request.json == {**expected, "token": request.json["token"]}
            return str(request.json["token"])
        case "delete":
            return in_header
    raise AssertionError(platform.revocation.kind)


def _bears_our_credentials(request: Request, platform: Platform) -> None:
    assert platform.revocation
    if platform.revocation.client_auth:
        told = (request.form["client_id"], request.form["client_secret"])
        assert told == (CLIENT_ID, CLIENT_SECRET)
    else:
        assert request.body == b""


def test_it_is_told_with_the_tokens_that_it_takes_back(api: APIClient, actor: Actor) -> None:
    platform = actor.platform
    connection = connect(api, platform.slug)
    answer = api.delete(f"/api/v1/auth/{connection.pk}/disconnect")
    assert answer.status_code == 200
    connection.refresh_from_db()
    assert (connection.status, connection.auth_state) == (Status.DISCONNECTED, None)
    if not is_told(platform) or platform.revocation is None:
        return
    sent = [token_of(request, platform) for request in actor.revocations]
    held = actor.issued[0]
    assert sent == [held[name] for name in platform.revocation.tokens if name in held]
    assert RevocationJob.objects.get().state == JobState.REVOKED


def test_where_it_can_not_be_told_people_are_told_where_to_go(api: APIClient, actor: Actor) -> None:
    platform = actor.platform
    connection = connect(api, platform.slug)
    answer = api.delete(f"/api/v1/providers/{connection.pk}")
    expected = None if is_told(platform) else f'<{platform.help_url}>; rel="help"'
    assert answer.headers.get("Link") == expected
    assert bool(actor.revocations) is is_told(platform)
    assert RevocationJob.objects.exists() is is_told(platform)
