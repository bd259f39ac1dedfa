"""What may be sent again, and what may not (docs/api.md, "Publishing")."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.models import AuditEvent
from audit.record import Origin
from channels.cancel import cancel_own
from channels.models import ChannelConnection, Schedule
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
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
    tooted,
    trail_of,
    tried,
)
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer, free_port

pytestmark = pytest.mark.django_db

ORIGIN = Origin(ActorType.USER, None, Interface.API)
UNKNOWN = [
    (Answer(delay=5), "timeout"),
    (Answer(reset=True), "reset"),
    (Answer(cut_after=1, json={"data": {"id": "post-1"}}), "reset"),
    (Answer(500), "server_error"),
    (Answer(502), "server_error"),
    (Answer(504), "server_error"),
    (Answer(408), "unavailable"),
    (Answer(201, body=b"<html>"), "malformed"),
    (Answer(201, json={}), "malformed"),
    (Answer(raw=b"garbage\r\n\r\n"), "malformed"),
    (Answer(303, headers={"Location": "/elsewhere"}), "redirected"),
]
BUSY = [
    (Answer(503), "unavailable"),
    (Answer(429), "rate_limited"),
]
REFUSED = [Answer(400, json={}), Answer(403, json={}), Answer(404, json={}), Answer(422, json={})]


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.attempt.SEND_SECONDS", 0.3)


@pytest.fixture
def schedule(row: ChannelConnection) -> Schedule:
    return due_schedule(row)


@pytest.mark.parametrize(("answer", "error"), UNKNOWN)
def test_a_possibly_accepted_post_is_never_resent(
    schedule: Schedule, like_x: Chirp, answer: Answer, error: str
) -> None:
    like_x.server.on("POST", X, answer, accepted())
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "outcome_unknown")
    assert history_of(schedule) == [("failed", error)]
    assert tried() == []
    assert len(posts(like_x)) == 1
    recorded = AuditEvent.objects.get(action="SCHEDULE_FAILED")
    assert recorded.outcome == "failure"
    assert (recorded.details["result"], recorded.details["error"]) == ("outcome_unknown", error)


@pytest.mark.parametrize(("answer", "error"), BUSY)
def test_a_busy_platform_is_tried_again_later(
    schedule: Schedule, like_x: Chirp, answer: Answer, error: str
) -> None:
    like_x.server.on("POST", X, answer, accepted())
    assert tried() == ["pending"]
    schedule.refresh_from_db()
    assert (schedule.status, schedule.unsure_since, schedule.lease) == ("pending", None, None)
    wait = schedule.due_at - timezone.now()
    assert timedelta(seconds=9) < wait <= timedelta(seconds=12.5)
    assert tried() == []
    make_due(schedule)
    assert tried() == ["published"]
    assert history_of(schedule) == [("failed", error), ("published", "post-1")]
    assert trail_of(schedule) == ["SCHEDULE_PUT_OFF", "SCHEDULE_PUBLISHED"]


def test_what_never_left_us_is_sent_again_later(
    schedule: Schedule, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    away = f"http://127.0.0.1:{free_port()}/me"
    table = chirp.catalogue(more='adapter = "channels.adapters.x"')
    use_catalogue(table.replace(f"{chirp.server.url}/me", away), "chirp")
    assert tried() == ["pending"]
    assert history_of(schedule) == [("failed", "connect_error")]
    assert outcome_of(schedule) == ("pending", None)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(schedule: Schedule, like_x: Chirp, status: int) -> None:
    like_x.server.on("POST", X, Answer(status, headers={"Retry-After": "120"}))
    tried()
    schedule.refresh_from_db()
    assert timedelta(seconds=118) < schedule.due_at - timezone.now() <= timedelta(seconds=120)


def test_x_names_the_retry_time_in_its_own_header(schedule: Schedule, like_x: Chirp) -> None:
    at = int(timezone.now().timestamp()) + 300
    like_x.server.on("POST", X, Answer(429, headers={"x-rate-limit-reset": f"{at}"}))
    tried()
    schedule.refresh_from_db()
    assert timedelta(seconds=297) < schedule.due_at - timezone.now() <= timedelta(seconds=301)


def test_waits_double_up_to_a_quarter_of_an_hour(schedule: Schedule, like_x: Chirp) -> None:
    like_x.server.on("POST", X, Answer(503))
    waits = []
    for attempts in (0, 1, 3, 30):
        Schedule.objects.update(attempts=attempts)
        make_due(schedule)
        tried()
        schedule.refresh_from_db()
        waits.append((schedule.due_at - schedule.updated_at).total_seconds())
    for wait, least in zip(waits, (10, 20, 80, 900), strict=True):
        assert least <= wait + 1 <= least * 1.25 + 1


def test_a_day_after_its_time_a_post_is_given_up(schedule: Schedule, like_x: Chirp) -> None:
    Schedule.objects.update(run_at=timezone.now() - timedelta(days=1))
    like_x.server.on("POST", X, Answer(429))
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "rate_limited")


def test_how_long_it_is_tried_can_be_set(
    schedule: Schedule, like_x: Chirp, settings: LazySettings
) -> None:
    settings.PUBLISH_GIVE_UP_SECONDS = 0
    like_x.server.on("POST", X, Answer(503))
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "unavailable")


@pytest.mark.parametrize("answer", REFUSED)
def test_what_the_platform_refuses_has_failed(
    schedule: Schedule, like_x: Chirp, answer: Answer
) -> None:
    like_x.server.on("POST", X, answer)
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "refused")
    assert tried() == []
    assert len(posts(like_x)) == 1


def days_later(schedule: Schedule) -> None:
    Schedule.objects.update(run_at=timezone.now() - timedelta(days=2))
    make_due(schedule)


def test_one_put_off_is_not_sent_days_later(schedule: Schedule, like_x: Chirp) -> None:
    """As after a suspension, or while no worker ran."""
    like_x.server.on("POST", X, Answer(503), accepted())
    assert tried() == ["pending"]
    days_later(schedule)
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "too_late")
    assert len(posts(like_x)) == 1


def test_one_whose_publishers_die_ends_after_a_day(schedule: Schedule, like_x: Chirp) -> None:
    """It would kill the next ones, too, for ever."""
    for _ in range(3):
        assert claimed()
        Schedule.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    days_later(schedule)
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "too_late")
    assert posts(like_x) == []


def test_what_was_never_tried_is_sent_however_late(schedule: Schedule, like_x: Chirp) -> None:
    like_x.server.on("POST", X, accepted())
    days_later(schedule)
    assert tried() == ["published"]


@pytest.mark.parametrize("answer", [answer for answer, _ in UNKNOWN if answer.delay == 0])
def test_a_keyed_post_is_sent_again(
    schedule: Schedule, like_mastodon: Chirp, answer: Answer
) -> None:
    like_mastodon.server.on("POST", MASTODON, answer, tooted())
    assert tried() == ["pending"]
    make_due(schedule)
    assert tried() == ["published"]
    keys = {post.headers["Idempotency-Key"] for post in posts(like_mastodon, MASTODON)}
    assert keys == {str(schedule.pk)}
    assert len(posts(like_mastodon, MASTODON)) == 2


def test_one_that_comes_late_is_not_resent_either(schedule: Schedule, like_mastodon: Chirp) -> None:
    """As after a suspension, or while no worker ran: the platform has forgotten the key."""
    like_mastodon.server.on("POST", MASTODON, Answer(500), tooted())
    assert tried() == ["pending"]
    Schedule.objects.update(unsure_since=timezone.now() - timedelta(hours=2))
    make_due(schedule)
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "outcome_unknown")
    assert history_of(schedule) == [("failed", "server_error"), ("failed", "outcome_unknown")]
    assert len(posts(like_mastodon, MASTODON)) == 1


def test_an_expired_key_prevents_a_resend(schedule: Schedule, like_mastodon: Chirp) -> None:
    like_mastodon.server.on("POST", MASTODON, Answer(500), Answer(503))
    assert tried() == ["pending"]
    Schedule.objects.update(unsure_since=timezone.now() - timedelta(minutes=58, seconds=50))
    make_due(schedule)
    # Even a platform that was merely busy this time may have taken it the first time.
    assert tried() == ["failed"]
    assert outcome_of(schedule) == ("failed", "outcome_unknown")


def test_a_busy_platform_does_not_start_the_keys_life(
    schedule: Schedule, like_mastodon: Chirp
) -> None:
    like_mastodon.server.on("POST", MASTODON, Answer(503), Answer(500))
    tried()
    schedule.refresh_from_db()
    assert schedule.unsure_since is None
    make_due(schedule)
    tried()
    schedule.refresh_from_db()
    assert schedule.unsure_since is not None
    first = schedule.unsure_since
    make_due(schedule)
    tried()
    schedule.refresh_from_db()
    assert schedule.unsure_since == first


def test_a_refusal_keeps_an_earlier_unknown_outcome(
    schedule: Schedule, like_mastodon: Chirp
) -> None:
    like_mastodon.server.on("POST", MASTODON, Answer(500), Answer(403, json={}))
    tried()
    make_due(schedule)
    tried()
    assert outcome_of(schedule) == ("failed", "outcome_unknown")
    assert history_of(schedule) == [("failed", "server_error"), ("failed", "refused")]


def test_a_waiting_post_can_be_cancelled(schedule: Schedule, owner: User, like_x: Chirp) -> None:
    like_x.server.on("POST", X, Answer(503))
    tried()
    cancel_own(schedule_id=schedule.pk, user=owner, origin=ORIGIN)
    make_due(schedule)
    assert tried() == []
    assert outcome_of(schedule) == ("cancelled", None)
    assert len(posts(like_x)) == 1
