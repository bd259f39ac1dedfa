"""Each shipped platform is asked to revoke as its entry says, or not at all."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from connections_project.connections.models import OAuthConnection
from connections_project.oauth.catalog import Platform
from connections_project.revocation.models import GrantHold, JobState, RevocationJob
from tests.platforms.contract.conftest import CLIENT_ID, CLIENT_SECRET, Actor, authenticates
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db


Disconnect = Callable[[Actor, OAuthConnection], Any]


@pytest.fixture
def disconnect(api: APIClient, django_capture_on_commit_callbacks: Any) -> Disconnect:
    """Disconnect, and do what comes after the commit."""

    def disconnect(actor: Actor, connection: OAuthConnection) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return actor.app_client.disconnect(api, connection)

    return disconnect


def can_be_revoked(platform: Platform) -> bool:
    return platform.revocation is not None and platform.revocation.blast_radius != "client"


def token_of(request: Request, platform: Platform) -> str:
    """Return the token that a revocation names, after a look at how it is asked for."""
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
        result = (request.form["client_id"], request.form["client_secret"])
        assert result == (CLIENT_ID, CLIENT_SECRET)
    else:
        assert request.body == b""


def test_it_gets_the_tokens_it_revokes(
    api: APIClient, actor: Actor, disconnect: Disconnect
) -> None:
    platform = actor.platform
    connection = actor.connect(api)
    answer = disconnect(actor, connection)
    assert answer.status_code == 200
    connection.refresh_from_db()
    assert (connection.status, connection.auth_state) == (actor.app_client.over, None)
    if not can_be_revoked(platform) or platform.revocation is None:
        return
    sent = [token_of(request, platform) for request in actor.revocations]
    held = actor.issued[0]
    assert sent == [held[name] for name in platform.revocation.tokens if name in held]
    job = RevocationJob.objects.get()
    tried = "unverifiable" if platform.revocation.verify == "none" else "verified_dead"
    assert (job.state, job.verification) == (JobState.REVOKED, tried)


def test_without_revocation_people_get_a_help_link(
    api: APIClient, actor: Actor, disconnect: Disconnect
) -> None:
    platform = actor.platform
    answer = disconnect(actor, actor.connect(api))
    expected = None if can_be_revoked(platform) else f'<{platform.help_url}>; rel="help"'
    assert answer.headers.get("Link") == expected
    assert bool(actor.revocations) is can_be_revoked(platform)
    assert RevocationJob.objects.exists() is can_be_revoked(platform)


def end(api: APIClient, actor: Actor, disconnect: Disconnect, *answers: Answer) -> str:
    """Disconnect where the platform answers a revocation so, and give the job's state."""
    connection = actor.connect(api)
    assert actor.platform.revocation
    actor.server.on("POST", urlsplit(actor.platform.revocation.endpoint).path, *answers)
    assert disconnect(actor, connection).status_code == 200
    return RevocationJob.objects.get().state


@pytest.mark.parametrize("actor", ["youtube"], indirect=True)
def test_google_says_of_a_dead_token_that_it_is_one(
    api: APIClient, actor: Actor, disconnect: Disconnect
) -> None:
    dead = Answer(400, json={"error": "invalid_token", "error_description": "Token expired"})
    assert end(api, actor, disconnect, dead) == JobState.REVOKED


@pytest.mark.parametrize("actor", ["tiktok"], indirect=True)
def test_tiktok_errors_count_whatever_their_status(
    api: APIClient, actor: Actor, disconnect: Disconnect
) -> None:
    error = {"error": "invalid_request", "error_description": "…", "log_id": "2026"}
    assert end(api, actor, disconnect, Answer(200, json=error)) == JobState.PENDING


@pytest.mark.parametrize("actor", ["tiktok"], indirect=True)
def test_tiktok_refresh_tokens_are_revoked_too(
    api: APIClient, actor: Actor, disconnect: Disconnect
) -> None:
    error = {"error": "access_token_invalid", "error_description": "…", "log_id": "2026"}
    assert end(api, actor, disconnect, Answer(401, json=error), Answer(200)) == JobState.REVOKED
    sent = [request.form["token"] for request in actor.revocations]
    assert sent == [one["access_token"] for one in actor.issued]
    assert len(sent) == 2


@pytest.mark.parametrize("actor", ["x"], indirect=True)
def test_x_says_of_a_dead_token_that_it_is_invalid(
    api: APIClient, actor: Actor, disconnect: Disconnect
) -> None:
    dead = {"error": "invalid_request", "error_description": "Value passed was invalid."}
    assert end(api, actor, disconnect, Answer(400, json=dead)) == JobState.REVOKED


@pytest.mark.parametrize("actor", ["coinbase"], indirect=True)
@pytest.mark.parametrize(
    "body", [{"error": "invalid_token"}, {"errors": [{"id": "invalid_token", "message": "…"}]}]
)
def test_coinbase_hides_failures_in_a_success(
    api: APIClient, actor: Actor, disconnect: Disconnect, body: dict[str, Any]
) -> None:
    assert end(api, actor, disconnect, Answer(json=body)) == JobState.PENDING


@pytest.mark.parametrize("actor", ["youtube"], indirect=True)
def test_a_google_user_without_a_channel_is_let_go(
    api: APIClient, actor: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    # Somebody else has a channel, and goes on living on a grant of their own.
    actor.connect(api)
    GrantHold.objects.update(platform_user_id="another")
    actor.server.on("GET", actor.path("identity_endpoint"), Answer(json={"pageInfo": {}}))
    with django_capture_on_commit_callbacks(execute=True):
        state = actor.app_client.begin(api, "youtube")["state"]
        answer = actor.app_client.call_back(api, state)
    assert answer.status_code == 502
    job = RevocationJob.objects.get()
    assert (job.state, job.platform_user_id) == (JobState.REVOKED, actor.granting_user)
    sent = [request.form["token"] for request in actor.revocations]
    assert sent == [actor.issued[-1]["refresh_token"], actor.issued[-1]["access_token"]]


@pytest.mark.parametrize("actor", ["reddit"], indirect=True)
@pytest.mark.parametrize("status", [200, 204])
def test_reddit_has_two_ways_to_say_yes(
    api: APIClient, actor: Actor, disconnect: Disconnect, status: int
) -> None:
    assert end(api, actor, disconnect, Answer(status)) == JobState.REVOKED


@pytest.mark.parametrize("actor", ["mastodon"], indirect=True)
def test_mastodons_refusal_of_others_is_no_success(
    api: APIClient, actor: Actor, disconnect: Disconnect
) -> None:
    refusal = Answer(403, json={"error": "unauthorized_client"})
    assert end(api, actor, disconnect, refusal) == JobState.PENDING
