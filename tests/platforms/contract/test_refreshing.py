"""Each shipped platform is refreshed as its entry says, and its dead grants are known as such."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.oauth.catalog import DeadGrantMatcher
from tests.platforms.contract.conftest import PLATFORMS, Actor, authenticates
from tests.support.platform_server import Answer

pytestmark = pytest.mark.django_db

# What an adapter renews by calls of its own has a test of its own.
REFRESHED = [slug for slug, one in PLATFORMS.items() if one.refresh != "self_exchange"]
each_platform = pytest.mark.parametrize("actor", REFRESHED, indirect=True)


def refresh(api: APIClient, actor: Actor, connection: Any, *, force: bool = True) -> int:
    status: int = actor.app_client.refresh(api, connection, force=force).status_code
    return status


@each_platform
def test_it_is_refreshed_as_it_wants_if_it_can_be(api: APIClient, actor: Actor) -> None:
    connection = actor.connect(api)
    forced = refresh(api, actor, connection)
    if actor.platform.refresh == "none":
        assert forced == 403
        assert refresh(api, actor, connection, force=False) == actor.app_client.refreshed
        assert len(actor.token_requests) == 1
        return
    assert forced == actor.app_client.refreshed
    request = actor.token_requests[1]
    assert authenticates(request, actor.platform)
    assert request.form["grant_type"] == "refresh_token"
    assert request.form["refresh_token"] == actor.issued[0]["refresh_token"]


@each_platform
def test_the_right_refresh_token_is_kept(api: APIClient, actor: Actor) -> None:
    connection = actor.connect(api)
    refresh(api, actor, connection)
    connection.refresh_from_db()
    kept, given = connection.opened(), [one.get("refresh_token") for one in actor.issued]
    assert kept.access_token == actor.issued[-1]["access_token"]
    match actor.platform.refresh:
        case "rotating":
            assert kept.refresh_token == given[1] is not None
        case "static":
            assert kept.refresh_token == given[0]
            assert given[1] is None
        case "none":
            assert kept.refresh_token is None


def refusal(matcher: DeadGrantMatcher) -> Answer:
    """Make the least that a matcher speaks of."""
    body = {"error": matcher.error, "error_description": matcher.text}
    status = matcher.status or 400
    return Answer(status, json={name: text for name, text in body.items() if text})


MATCHERS = [
    pytest.param(slug, matcher, id=f"{slug} {matcher.status} {matcher.error or matcher.text}")
    for slug, platform in PLATFORMS.items()
    if platform.refresh not in {"none", "self_exchange"}
    for matcher in platform.dead_grant
    if matcher.at != "api" and matcher.becomes != "unchanged"
]


@pytest.mark.parametrize(("actor", "matcher"), MATCHERS, indirect=["actor"])
def test_each_dead_grant_word_ends_the_connection(
    api: APIClient, actor: Actor, matcher: DeadGrantMatcher
) -> None:
    connection = actor.connect(api)
    actor.server.on("POST", actor.path("token_endpoint"), refusal(matcher))
    assert refresh(api, actor, connection) == 502
    connection.refresh_from_db()
    assert connection.status == actor.app_client.becomes[matcher.becomes]


@each_platform
def test_a_passing_fault_is_no_dead_grant(api: APIClient, actor: Actor) -> None:
    connection = actor.connect(api)
    expected = 403 if actor.platform.refresh == "none" else 502
    for status in (429, 500, 503):
        fault = Answer(status, json={"error": "invalid_grant"})
        actor.server.on("POST", actor.path("token_endpoint"), fault)
        assert refresh(api, actor, connection) == expected
        connection.refresh_from_db()
        assert connection.status == actor.app_client.live
