"""Publishing what is due (docs/api.md, "Publishing")."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from channels.models import ChannelConnection, PublishEvent, Schedule
from connections_project.identity.models import User
from connections_project.middleware.tracing import tracing
from tests.support.channel_publishing import (
    X,
    accepted,
    due_schedule,
    history_of,
    outcome_of,
    posts,
    published,
    trail_of,
)
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_schedule_that_is_due_is_published(row: ChannelConnection, like_x: Chirp) -> None:
    schedule = due_schedule(row, content="Grüße & <b>")
    assert published() == ["published"]
    (post,) = posts(like_x)
    assert post.json == {"text": "Grüße & <b>"}
    assert post.headers["Authorization"] == "Bearer access-0"
    schedule.refresh_from_db()
    assert (schedule.status, schedule.failure_reason) == ("published", None)
    assert (schedule.lease, schedule.leased_until, schedule.attempts) == (None, None, 1)
    assert schedule.published_at
    assert timezone.now() - schedule.published_at < timedelta(seconds=10)


def test_history_and_audit_log_record_it(row: ChannelConnection, like_x: Chirp) -> None:
    schedule = due_schedule(row)
    published()
    event = PublishEvent.objects.get()
    assert (event.schedule, event.channel_connection) == (schedule, row)
    assert (event.outcome, event.platform_post_id, event.error_code) == (
        "published",
        "post-1",
        None,
    )
    recorded = AuditEvent.objects.get(action="SCHEDULE_PUBLISHED")
    assert (recorded.subject_type, recorded.subject_id) == ("channels.schedule", schedule.pk)
    assert (recorded.subject_owner_id, recorded.outcome) == (row.user_id, "success")
    assert (recorded.actor_type, recorded.interface) == ("system", "worker")
    assert recorded.details == {
        "platform": "chirp",
        "connection_id": str(row.pk),
        "post_id": "post-1",
    }


def test_it_carries_its_requests_trace(row: ChannelConnection, like_x: Chirp) -> None:
    with tracing("ab" * 16):
        due_schedule(row)
    published()
    assert AuditEvent.objects.get(action="SCHEDULE_PUBLISHED").trace_id == "ab" * 16


def test_it_is_queued_then_publishing_while_sent(row: ChannelConnection, like_x: Chirp) -> None:
    seen = []

    def look(_: Request) -> Answer:
        seen.append(Schedule.objects.get().status)
        return accepted()

    like_x.server.on("POST", X, look)
    ChannelConnection.objects.update(token_expires_at=timezone.now())
    like_x.server.on("POST", "/token", lambda _: (look(_), like_x.tokens())[1])
    due_schedule(row)
    assert published() == ["published"]
    assert seen == ["queued", "publishing"]


@pytest.mark.parametrize(
    "columns",
    [
        {"run_at": timezone.now() + timedelta(hours=1)},
        {"status": "cancelled", "cancelled_at": timezone.now()},
        {"status": "published", "published_at": timezone.now()},
        {"status": "failed", "failure_reason": "refused"},
    ],
)
def test_what_is_not_due_or_over_stays_as_it_is(
    row: ChannelConnection, like_x: Chirp, columns: dict[str, object]
) -> None:
    schedule = due_schedule(row, **columns)
    before = outcome_of(schedule)
    assert published() == []
    assert outcome_of(schedule) == before
    assert posts(like_x) == []


def test_a_schedule_is_published_once(row: ChannelConnection, like_x: Chirp) -> None:
    due_schedule(row)
    assert [published(), published()] == [["published"], []]
    assert len(posts(like_x)) == 1


def test_no_publisher_for_a_platform_fails_the_post(owner: User, chirp: Chirp) -> None:
    schedule = due_schedule(channel_of(owner))
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "publishing_not_supported")
    assert history_of(schedule) == [("failed", "publishing_not_supported")]
    assert trail_of(schedule) == ["SCHEDULE_FAILED"]


def test_ten_due_at_once_are_published_once_each(owner: User, like_x: Chirp) -> None:
    channels = [channel_of(owner, account_id=str(number)) for number in range(2)]
    for number in range(10):
        due_schedule(channels[number % 2], content=f"Post {number}")
    like_x.server.on("POST", X, *[accepted(f"post-{number}") for number in range(10)])
    assert published() == ["published"] * 10
    assert sorted(post.json["text"] for post in posts(like_x)) == [f"Post {n}" for n in range(10)]
    recorded = set(PublishEvent.objects.values_list("platform_post_id", flat=True))
    assert recorded == {f"post-{number}" for number in range(10)}


def test_a_hanging_post_delays_no_other(owner: User, like_x: Chirp) -> None:
    connection = channel_of(owner)
    slow, *quick = [due_schedule(connection, content=f"Post {number}") for number in range(5)]

    def answer(request: Request) -> Answer:
        if request.json["text"] == slow.content:
            like_x.server.stopped.wait(0.6)
            assert Schedule.objects.filter(status="published").count() == len(quick)
        return accepted(request.json["text"])

    like_x.server.on("POST", X, answer)
    assert published() == ["published"] * 5


def test_a_broken_adapter_delays_no_other(
    row: ChannelConnection, like_x: Chirp, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = due_schedule(row, content="break"), due_schedule(row, content="fine")

    def dig(document: object, path: str) -> object:
        if posts(like_x)[-1].json["text"] == "break":
            raise KeyError(path)
        return "post-1"

    monkeypatch.setattr("channels.publish.AT_ONCE", 1)
    monkeypatch.setattr("channels.adapters.x.dig", dig)
    assert published() == ["failed", "published"]
    assert outcome_of(broken) == ("failed", "outcome_unknown")
    assert outcome_of(fine) == ("published", None)


def test_who_is_to_stop_takes_nothing_more(
    row: ChannelConnection, like_x: Chirp, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule, stop = due_schedule(row), threading.Event()
    monkeypatch.setattr("connections_project.core.periodic.stopping", stop)
    stop.set()
    assert published() == []
    assert outcome_of(schedule) == ("pending", None)


def test_the_longest_waiting_goes_first(
    row: ChannelConnection, like_x: Chirp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.publish.AT_ONCE", 1)
    for minutes in (5, 30, 10):
        run_at = timezone.now() - timedelta(minutes=minutes)
        schedule_of(row, run_at=run_at, content=f"{minutes}")
    published()
    assert [post.json["text"] for post in posts(like_x)] == ["30", "10", "5"]
