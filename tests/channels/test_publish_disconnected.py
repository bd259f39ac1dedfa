"""A disconnected channel never publishes, and what was on its way comes to a defined end."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.models import AuditEvent
from audit.record import Origin
from channels.attempt import attempt
from channels.claims import begin_sending
from channels.disconnect import disconnect_own
from channels.models import ChannelConnection, PublishEvent, Schedule
from connections_project.identity.models import User
from connections_project.operations import offboarding
from tests.support.channel_publishing import (
    MASTODON,
    X,
    accepted,
    claimed,
    due_schedule,
    history_of,
    make_due,
    outcome_of,
    posts,
    published,
    tooted,
    trail_of,
)
from tests.support.chirp import Chirp
from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = Origin(ActorType.USER, None, Interface.API)


@pytest.fixture
def end(owner: User, row: ChannelConnection) -> Callable[..., None]:
    """Disconnect the channel, as its owner does."""

    def end(*, cancel_schedules: bool = False) -> None:
        disconnect_own(
            connection_id=row.pk, user=owner, cancel_schedules=cancel_schedules, origin=ORIGIN
        )

    return end


End = Callable[..., None]


@pytest.fixture
def schedule(row: ChannelConnection) -> Schedule:
    return due_schedule(row)


def test_it_never_publishes_from_a_kept_token(schedule: Schedule, like_x: Chirp, end: End) -> None:
    """A publisher holds the connection with its tokens, as it read them before the disconnect."""
    (mine,) = claimed()
    kept = mine.channel_connection
    end(cancel_schedules=True)
    assert kept.opened().access_token == "access-0"
    # Even if the schedule had slipped by the guard:
    columns = {"status": "queued", "lease": mine.lease, "leased_until": timezone.now()}
    Schedule.objects.update(cancelled_at=None, **columns)
    assert attempt(mine, interface=Interface.WORKER) == "failed"
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    assert history_of(schedule) == [("failed", "connection_inactive")]
    assert trail_of(schedule) == ["SCHEDULE_FAILED"]
    assert posts(like_x) == []


def test_a_leftover_schedule_fails(
    schedule: Schedule, like_x: Chirp, row: ChannelConnection, end: End
) -> None:
    Schedule.objects.update(status="cancelled", cancelled_at=timezone.now())
    end()
    Schedule.objects.update(status="pending", cancelled_at=None)
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    assert posts(like_x) == []


def test_a_claimed_post_is_cancelled_unsent(schedule: Schedule, like_x: Chirp, end: End) -> None:
    (mine,) = claimed()
    assert mine == schedule
    end(cancel_schedules=True)
    assert begin_sending(mine) is None
    assert outcome_of(schedule) == ("cancelled", None)
    assert published() == []
    assert posts(like_x) == []


def test_a_disconnect_during_the_refresh_wins(
    schedule: Schedule, like_x: Chirp, row: ChannelConnection, end: End
) -> None:
    ChannelConnection.objects.update(token_expires_at=timezone.now())

    def late(_: Request) -> Answer:
        with_own_connection(lambda: end(cancel_schedules=True))
        return like_x.tokens()

    like_x.server.on("POST", "/token", late)
    assert published() == []
    assert outcome_of(schedule) == ("cancelled", None)
    assert posts(like_x) == []
    # The tokens that came too late are revoked, not used.
    assert "refresh-1" in like_x.revoked


def test_an_answer_after_the_disconnect_is_recorded(
    schedule: Schedule, like_x: Chirp, row: ChannelConnection, end: End
) -> None:
    def late(_: Request) -> Answer:
        with_own_connection(end)
        return accepted()

    like_x.server.on("POST", X, late)
    assert published() == ["published"]
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)
    assert outcome_of(schedule) == ("published", None)
    assert history_of(schedule) == [("published", "post-1")]
    actions = [event.action for event in AuditEvent.objects.order_by("id")]
    assert actions.index("CHANNEL_DISCONNECTED") < actions.index("SCHEDULE_PUBLISHED")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(503), "connection_inactive"),
        (Answer(429, headers={"Retry-After": "1"}), "connection_inactive"),
        (Answer(500), "outcome_unknown"),
        (Answer(reset=True), "outcome_unknown"),
        (Answer(403, json={}), "refused"),
    ],
)
def test_a_failure_after_it_is_not_retried(
    schedule: Schedule, like_x: Chirp, end: End, answer: Answer, reason: str
) -> None:
    def late(_: Request) -> Answer:
        with_own_connection(end)
        return answer

    like_x.server.on("POST", X, late)
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", reason)
    assert trail_of(schedule) == ["SCHEDULE_FAILED"]
    assert published() == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (accepted(), "published"),
        (Answer(403, json={}), "failed"),
        (Answer(429), "failed"),
        (Answer(401, json={}), "failed"),
    ],
)
def test_of_whoever_is_forgotten_meanwhile_no_text_is_left(
    schedule: Schedule, like_x: Chirp, owner: User, answer: Answer, status: str
) -> None:
    def late(_: Request) -> Answer:
        with_own_connection(lambda: offboarding.forget(owner, reason="Art. 17", origin=ORIGIN))
        return answer

    like_x.server.on("POST", X, late)
    assert published() == [status]
    schedule.refresh_from_db()
    assert (schedule.content, schedule.image_url, schedule.options) == ("", None, {})
    event = PublishEvent.objects.get()
    assert (event.outcome, event.platform_post_id, event.post_url) == (status, None, None)


def test_of_whoever_only_leaves_it_is_kept(schedule: Schedule, like_x: Chirp, owner: User) -> None:
    def late(_: Request) -> Answer:
        with_own_connection(lambda: offboarding.deactivate(owner, reason="left", origin=ORIGIN))
        return accepted()

    like_x.server.on("POST", X, late)
    assert published() == ["published"]
    assert Schedule.objects.get().content == schedule.content != ""
    assert history_of(schedule) == [("published", "post-1")]


def test_an_idempotent_failure_is_not_retried_either(
    schedule: Schedule, like_mastodon: Chirp, end: End
) -> None:
    def late(_: Request) -> Answer:
        with_own_connection(end)
        return Answer(500)

    like_mastodon.server.on("POST", MASTODON, late)
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "outcome_unknown")


def test_a_refused_token_is_not_refreshed_after_it(
    schedule: Schedule, like_x: Chirp, end: End
) -> None:
    def late(_: Request) -> Answer:
        with_own_connection(end)
        return Answer(401, json={})

    like_x.server.on("POST", X, late)
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")
    assert len(posts(like_x)) == 1
    assert like_x.token_requests("refresh_token") == []


def test_a_cancelled_posts_late_answer_is_recorded(
    schedule: Schedule, like_mastodon: Chirp, end: End
) -> None:
    """A publisher that was thought dead comes back with the answer."""

    def late(_: Request) -> Answer:
        Schedule.objects.update(leased_until=timezone.now())
        assert with_own_connection(published) == ["pending"]
        with_own_connection(lambda: end(cancel_schedules=True))
        return tooted()

    like_mastodon.server.on("POST", MASTODON, late)
    assert published() == ["cancelled"]
    assert history_of(schedule) == [("failed", "interrupted"), ("published", "post-1")]
    assert trail_of(schedule)[-1] == "SCHEDULE_PUBLISHED"
    make_due(schedule)
    assert published() == []
