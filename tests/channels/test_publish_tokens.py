"""The tokens that posts are sent by: refreshed on use, and dead ones known as such."""

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from channels.models import ChannelConnection, Schedule
from connections_project.core.vault import Sealed
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import GrantHold
from tests.conftest import UseCatalogue
from tests.support.channel_publishing import (
    ADAPTER,
    MASTODON,
    X,
    accepted,
    due_schedule,
    history_of,
    make_due,
    outcome_of,
    posts,
    tried,
)
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer

pytestmark = pytest.mark.django_db

DEAD = Answer(401, json={"error": "The access token was revoked"})
NO_ENTRY = Answer(401, json={"title": "Unauthorized", "type": "about:blank", "status": 401})


@pytest.fixture
def schedule(row: ChannelConnection) -> Schedule:
    return due_schedule(row)


def bearers(chirp: Chirp, path: str = X) -> list[str]:
    return [post.headers["Authorization"].removeprefix("Bearer ") for post in posts(chirp, path)]


def run_out() -> None:
    ChannelConnection.objects.update(token_expires_at=timezone.now())


def test_an_expiring_token_is_refreshed_first(
    schedule: Schedule, row: ChannelConnection, like_x: Chirp
) -> None:
    run_out()
    assert tried() == ["published"]
    assert bearers(like_x) == ["access-1"]
    row.refresh_from_db()
    assert row.opened() == TokenSet("access-1", "refresh-1")
    assert AuditEvent.objects.filter(action="CHANNEL_TOKEN_REFRESHED").count() == 1


def test_several_posts_share_one_refresh(row: ChannelConnection, like_x: Chirp) -> None:
    for _ in range(3):
        due_schedule(row)
    run_out()
    assert tried() == ["published"] * 3
    assert bearers(like_x) == ["access-1"] * 3
    assert len(like_x.token_requests("refresh_token")) == 1


def test_a_refresh_that_fails_puts_the_post_off(
    schedule: Schedule, row: ChannelConnection, like_x: Chirp
) -> None:
    run_out()
    like_x.server.on("POST", "/token", Answer(500), like_x.tokens())
    assert tried() == ["pending"]
    assert history_of(schedule) == [("failed", "refresh_failed")]
    assert posts(like_x) == []
    make_due(schedule)
    assert tried() == ["published"]


def test_a_dead_grant_ends_post_and_connection(
    schedule: Schedule, row: ChannelConnection, like_x: Chirp
) -> None:
    run_out()
    like_x.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    row.refresh_from_db()
    assert row.status == "expired"
    assert posts(like_x) == []


@pytest.mark.parametrize("status", ["expired", "error"])
def test_one_needing_consent_is_not_refreshed(owner: User, like_x: Chirp, status: str) -> None:
    schedule = due_schedule(channel_of(owner, status=status))
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    assert like_x.server.requests == []


def test_a_refused_token_is_refreshed_once_and_resent(schedule: Schedule, like_x: Chirp) -> None:
    like_x.server.on("POST", X, NO_ENTRY, accepted())
    assert tried() == ["published"]
    assert bearers(like_x) == ["access-0", "access-1"]
    assert history_of(schedule) == [("published", "post-1")]


def test_a_refused_fresh_token_ends_the_channel(
    schedule: Schedule, row: ChannelConnection, like_x: Chirp
) -> None:
    like_x.server.on("POST", X, NO_ENTRY)
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    assert len(posts(like_x)) == 2
    assert len(like_x.token_requests("refresh_token")) == 1
    row.refresh_from_db()
    assert row.status == "error"


def test_a_failed_refresh_puts_the_post_off(schedule: Schedule, like_x: Chirp) -> None:
    like_x.server.on("POST", X, NO_ENTRY, accepted())
    like_x.server.on("POST", "/token", Answer(503), like_x.tokens())
    assert tried() == ["pending"]
    schedule.refresh_from_db()
    assert schedule.unsure_since is None
    make_due(schedule)
    assert tried() == ["published"]


def test_a_refresh_may_find_the_grant_dead(
    schedule: Schedule, row: ChannelConnection, like_x: Chirp
) -> None:
    like_x.server.on("POST", X, NO_ENTRY)
    like_x.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    row.refresh_from_db()
    assert row.status == "expired"


@pytest.fixture
def without_refresh_token(
    owner: User, like_mastodon: Chirp, use_catalogue: UseCatalogue
) -> ChannelConnection:
    matcher = '{ status = 401, text = "The access token", becomes = "revoked" }'
    more = f"{ADAPTER.format('mastodon')}\ndead_grant = [{matcher}]"
    use_catalogue(like_mastodon.catalogue(more=more), "chirp")
    return channel_of(owner, tokens=TokenSet("access-0"))


def test_a_dead_token_is_known_by_catalogue_words(
    without_refresh_token: ChannelConnection, like_mastodon: Chirp
) -> None:
    schedule = due_schedule(without_refresh_token)
    like_mastodon.server.on("POST", MASTODON, DEAD)
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    without_refresh_token.refresh_from_db()
    assert without_refresh_token.status == "error"
    assert not GrantHold.objects.exists()
    recorded = AuditEvent.objects.get(action="CHANNEL_TOKEN_REFRESH_FAILED")
    assert recorded.details == {"platform": "chirp", "error": "dead_grant", "becomes": "revoked"}


def test_a_401_in_other_words_ends_it_too(
    without_refresh_token: ChannelConnection, like_mastodon: Chirp
) -> None:
    schedule = due_schedule(without_refresh_token)
    like_mastodon.server.on("POST", MASTODON, NO_ENTRY)
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    without_refresh_token.refresh_from_db()
    assert without_refresh_token.status == "error"


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_no_other_status_ends_a_grant(
    without_refresh_token: ChannelConnection, like_mastodon: Chirp, status: int
) -> None:
    due_schedule(without_refresh_token)
    like_mastodon.server.on("POST", MASTODON, Answer(status, json={"error": "The access token"}))
    tried()
    without_refresh_token.refresh_from_db()
    assert without_refresh_token.status == "connected"


def test_unreadable_tokens_fail_unsent(schedule: Schedule, like_x: Chirp) -> None:
    ChannelConnection.objects.update(auth_state=Sealed("gAAAAA-not-ours"))
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "unreadable_credentials")
    assert like_x.server.requests == []
