"""A platform that hangs or fails holds up its own posts alone (docs/api.md, "Publishing")."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from audit.events import Interface
from channels.circuits import open_circuits
from channels.claims import claim, oldest_overdue
from channels.models import ChannelConnection, Schedule
from channels.publish import publish_due
from connections_project.core.ids import uuid7
from connections_project.core.jobs.circuit import FAILURES_TO_OPEN
from connections_project.core.jobs.lanes import Lane
from connections_project.identity.models import User
from connections_project.revocation.circuits import open_circuits as in_trouble
from connections_project.revocation.models import CallCircuit, PostCircuit
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, Gate, meanwhile, wait_until
from tests.support.channel_publishing import (
    ADAPTER,
    MASTODON,
    X,
    accepted,
    due_schedule,
    outcome_of,
    posts,
    published,
    tooted,
)
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer

pytestmark = pytest.mark.django_db(transaction=True)

# Of eight threads.
SHARE = 6
BUSY = Answer(503)


@pytest.fixture
def both(chirp: Chirp, use_catalogue: UseCatalogue) -> Chirp:
    """A channel that may be in trouble, published to as to X, and one that is well."""
    text = chirp.catalogue(more=ADAPTER.format("x"))
    text += chirp.catalogue("warble", more=ADAPTER.format("mastodon"))
    use_catalogue(text, "chirp", "warble")
    chirp.server.on("POST", X, accepted())
    chirp.server.on("POST", MASTODON, tooted())
    return chirp


@pytest.fixture
def row(owner: User, both: Chirp) -> ChannelConnection:
    return channel_of(owner)


@pytest.fixture
def well(owner: User, both: Chirp) -> ChannelConnection:
    return channel_of(owner, channel="warble")


def waiting(row: ChannelConnection, number: int) -> list[Schedule]:
    """Make schedules that have waited for longer than those of anybody else."""
    moment = timezone.now() - timedelta(minutes=5)
    return [due_schedule(row, run_at=moment) for _ in range(number)]


def pass_without_end() -> list[str]:
    return list(publish_due(interface=Interface.WORKER))


@contextmanager
def hanging(both: Chirp) -> Iterator[Gate]:
    """Let the platform hang inside."""
    gate = Gate(accepted)
    both.server.on("POST", X, gate)
    try:
        yield gate
    finally:
        gate.is_open.set()


def calls(both: Chirp) -> int:
    return len(posts(both))


def wait_is_over() -> None:
    PostCircuit.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))
    Schedule.objects.filter(status="pending").update(due_at=timezone.now())


def fail_often(both: Chirp, row: ChannelConnection, number: int = 20) -> None:
    """Have the platform left alone."""
    both.server.on("POST", X, BUSY)
    waiting(row, number)
    published()


def test_forty_hanging_posts_delay_none_of_another(
    row: ChannelConnection, well: ChannelConnection, both: Chirp
) -> None:
    waiting(row, 40)
    fine = due_schedule(well)
    with hanging(both) as gate, meanwhile(published) as publishing:
        wait_until(lambda: posts(both, MASTODON))
        assert calls(both) <= SHARE
        wait_until(lambda: outcome_of(fine)[0] == "published")
        gate.is_open.set()
    assert publishing.result(PATIENCE).count("published") == 41


def test_one_that_becomes_due_meanwhile_is_taken_in(
    row: ChannelConnection, well: ChannelConnection, both: Chirp
) -> None:
    waiting(row, 40)
    with hanging(both) as gate, meanwhile(pass_without_end) as publishing:
        wait_until(lambda: gate.visitors == SHARE)
        fine = due_schedule(well)
        wait_until(lambda: outcome_of(fine)[0] == "published")
        assert calls(both) == SHARE
        gate.is_open.set()
    assert publishing.result(PATIENCE).count("published") == 41


def test_one_that_fails_again_and_again_is_left_alone(
    row: ChannelConnection, well: ChannelConnection, both: Chirp
) -> None:
    fine = due_schedule(well)
    fail_often(both, row)
    # Others of its share were under way when the circuit opened.
    tried = calls(both)
    assert FAILURES_TO_OPEN <= tried < FAILURES_TO_OPEN + SHARE
    assert Schedule.objects.filter(attempts=0, status="pending").count() == 20 - tried
    assert outcome_of(fine) == ("published", None)
    assert in_trouble() == {"revocations": [], "requests": [], "posts": ["chirp"]}
    assert (published(), oldest_overdue()) == ([], None)
    assert not CallCircuit.objects.exists()


def test_retries_cost_one_probe_at_a_time(
    row: ChannelConnection, well: ChannelConnection, both: Chirp
) -> None:
    fail_often(both, row)
    for _ in range(3):
        before = calls(both)
        wait_is_over()
        fine = due_schedule(well)
        assert sorted(published()) == ["pending", "published"]
        assert calls(both) == before + 1
        assert outcome_of(fine) == ("published", None)
    assert not Schedule.objects.filter(status="failed").exists()


def test_two_workers_make_one_probe(
    row: ChannelConnection, well: ChannelConnection, both: Chirp
) -> None:
    fail_often(both, row)
    wait_is_over()
    before = calls(both)
    with hanging(both) as gate, meanwhile(pass_without_end) as publishing:
        gate.wait_for_visitor()
        due_schedule(well)
        assert published() in (["published"], [])
        assert calls(both) == before + 1
        gate.is_open.set()
    publishing.result(PATIENCE)
    assert Schedule.objects.filter(status="published").count() == 21
    assert calls(both) == before + 20


def test_a_probe_that_succeeds_lets_all_go(row: ChannelConnection, both: Chirp) -> None:
    fail_often(both, row)
    both.server.on("POST", X, accepted())
    wait_is_over()
    assert published() == ["published"] * 20
    circuit = PostCircuit.objects.get(platform="chirp")
    assert (circuit.faults, circuit.blocked_until) == (0, None)


def test_what_speaks_of_one_post_opens_nothing(row: ChannelConnection, both: Chirp) -> None:
    both.server.on("POST", X, Answer(403))
    waiting(row, 12)
    assert published() == ["failed"] * 12
    assert PostCircuit.objects.get(platform="chirp").faults == 0


def test_a_token_endpoint_that_fails_counts_too(row: ChannelConnection, both: Chirp) -> None:
    ChannelConnection.objects.update(token_expires_at=timezone.now())
    both.server.on("POST", "/token", BUSY)
    waiting(row, 1)
    assert published() == ["pending"]
    assert PostCircuit.objects.get(platform="chirp").faults == 1


def test_a_note_that_fails_loses_no_answer(
    row: ChannelConnection, both: Chirp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr("channels.circuits.note_post_failure", break_off)
    (schedule,) = waiting(row, 1)
    both.server.on("POST", X, Answer(504))
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "outcome_unknown")


def test_one_left_alone_ends_in_its_time(row: ChannelConnection, both: Chirp) -> None:
    fail_often(both, row)
    before = calls(both)
    tried = Schedule.objects.filter(attempts__gt=0)
    number = tried.update(run_at=timezone.now() - timedelta(days=2))
    assert published() == ["failed"] * number
    assert set(tried.values_list("failure_reason", flat=True)) == {"too_late"}
    assert calls(both) == before


def test_so_it_does_while_another_hangs(
    row: ChannelConnection, well: ChannelConnection, both: Chirp
) -> None:
    fail_often(both, row)
    tried = Schedule.objects.filter(attempts__gt=0)
    before = calls(both)
    gate = Gate(tooted)
    both.server.on("POST", MASTODON, gate)
    due_schedule(well)
    try:
        with meanwhile(pass_without_end):
            gate.wait_for_visitor()
            PostCircuit.objects.update(blocked_until=timezone.now() + timedelta(minutes=5))
            tried.filter(channel="chirp").update(run_at=timezone.now() - timedelta(days=2))
            late = tried.filter(channel="chirp", status="pending")
            wait_until(lambda: not late.exists())
            gate.is_open.set()
    finally:
        gate.is_open.set()
    assert set(tried.values_list("failure_reason", flat=True)) == {"too_late", None}
    assert calls(both) == before


def test_the_least_busy_platform_comes_first(
    row: ChannelConnection, well: ChannelConnection, both: Chirp
) -> None:
    waiting(row, 4)
    due_schedule(well)
    open_circuits()
    lanes = {"posts:chirp": Lane[Schedule](slots=2, running=2)}
    jobs = claim(uuid7(), threads=4, lanes=lanes, due_by=timezone.now()).jobs
    assert [job.channel for job in jobs] == ["warble", "chirp"]


@pytest.mark.parametrize("lost", [False, True])
def test_what_an_earlier_release_made_is_found(
    row: ChannelConnection, both: Chirp, lost: bool
) -> None:
    schedule = due_schedule(row, channel="")
    if lost:
        past = timezone.now() - timedelta(minutes=1)
        columns = {"status": "queued", "lease": uuid7(), "leased_until": past}
        Schedule.objects.update(attempts=1, **columns)
    assert published() == ["published"]
    schedule.refresh_from_db()
    assert schedule.channel == "chirp"


def test_one_of_a_platform_that_nobody_knows_is_put_off(
    row: ChannelConnection, both: Chirp, use_catalogue: UseCatalogue
) -> None:
    schedule = due_schedule(row)
    use_catalogue(both.catalogue("warble"), "warble")
    assert published() == ["pending"]
    assert outcome_of(schedule) == ("pending", None)


def test_it_fails_a_day_after_its_time(
    row: ChannelConnection, both: Chirp, use_catalogue: UseCatalogue
) -> None:
    schedule = due_schedule(row, run_at=timezone.now() - timedelta(days=1))
    use_catalogue(both.catalogue("warble"), "warble")
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "platform_unavailable")
    assert not posts(both)
