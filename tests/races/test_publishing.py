"""Several publishers in one moment, and publishers that die: one post, or an honest word."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.record import Origin
from channels.disconnect import disconnect_own
from channels.models import ChannelConnection, Schedule
from channels.schedule import WantedPost
from channels.schedule import schedule as schedule_post
from connections_project.connections.errors import ConnectionProblem
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, Gate, at_once, meanwhile, wait_until
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
    published,
    tooted,
)
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.platform_server import PlatformServer
from tests.support.process_environment import ROOT, environment_with

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

ORIGIN = Origin(ActorType.USER, None, Interface.API)


@pytest.fixture
def chirp(server: PlatformServer, use_catalogue: UseCatalogue) -> Chirp:
    """The channel, to be published to as to X: nothing there recognizes a repeated post."""
    made = Chirp(server)
    use_catalogue(made.catalogue(more=ADAPTER.format("x")), "chirp")
    made.open()
    server.on("POST", X, accepted())
    return made


@pytest.fixture
def row(owner: User, chirp: Chirp) -> ChannelConnection:
    return channel_of(owner)


def test_of_two_publishers_one_sends_the_post(row: ChannelConnection, chirp: Chirp) -> None:
    gate = Gate(accepted)
    chirp.server.on("POST", X, gate)
    schedule = due_schedule(row)
    with meanwhile(published) as first:
        gate.wait_for_visitor()
        assert published() == []
        gate.is_open.set()
    assert first.result(PATIENCE) == ["published"]
    assert len(posts(chirp)) == 1
    assert history_of(schedule) == [("published", "post-1")]


def test_four_publishers_share_twenty_posts(row: ChannelConnection, chirp: Chirp) -> None:
    chirp.server.on("POST", X, lambda request: accepted(request.json["text"]))
    for number in range(20):
        due_schedule(row, content=f"Post {number}")
    results = at_once([published] * 4)
    assert [one for each in results for one in each] == ["published"] * 20
    assert sorted(post.json["text"] for post in posts(chirp)) == sorted(
        f"Post {number}" for number in range(20)
    )


def test_a_disconnect_does_not_wait_for_a_post(
    row: ChannelConnection, owner: User, chirp: Chirp
) -> None:
    gate = Gate(accepted)
    chirp.server.on("POST", X, gate)
    schedule = due_schedule(row)
    with meanwhile(published) as publishing:
        gate.wait_for_visitor()
        ended = disconnect_own(connection_id=row.pk, user=owner, origin=ORIGIN)
        assert (ended.status, outcome_of(schedule)[0]) == ("disconnected", "publishing")
        gate.is_open.set()
    assert publishing.result(PATIENCE) == ["published"]
    assert outcome_of(schedule) == ("published", None)


def test_nothing_stays_active_on_a_disconnected_one(owner: User, chirp: Chirp) -> None:
    rows = [channel_of(owner, account_id=str(number)) for number in range(4)]
    for each in rows:
        due_schedule(each)

    def disconnect(each: ChannelConnection) -> Callable[[], object]:
        return lambda: disconnect_own(
            connection_id=each.pk, user=owner, cancel_schedules=True, origin=ORIGIN
        )

    def add(each: ChannelConnection) -> Callable[[], object]:
        def add() -> None:
            moment = timezone.now() + timedelta(days=1)
            with suppress(ConnectionProblem):
                schedule_post(
                    connection_id=each.pk,
                    wanted=WantedPost(content="Late", image_url=None, options={}, run_at=moment),
                    user=owner,
                    origin=ORIGIN,
                )

        return add

    at_once([published, published, *map(disconnect, rows), *map(add, rows)])
    published()
    assert not Schedule.objects.active().exists()
    assert not Schedule.objects.filter(status="publishing").exists()
    outcome = Schedule.objects.filter(status="published").count()
    assert len(posts(chirp)) == outcome


Run = Callable[[], "subprocess.Popen[str]"]


@contextmanager
def publisher(environment: dict[str, str], *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "manage.py", "publish_due_schedules", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def environment(chirp: Chirp, tmp_path: Path) -> dict[str, str]:
    return environment_with("chirp", catalogue=tmp_path / "catalog.toml")


def let_the_lease_run_out() -> None:
    Schedule.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


def test_a_kill_while_sending_leaves_it_unknown(
    row: ChannelConnection, chirp: Chirp, environment: dict[str, str]
) -> None:
    gate = Gate(accepted)
    chirp.server.on("POST", X, gate)
    schedule = due_schedule(row)
    with publisher(environment) as process:
        wait_until(lambda: gate.visitors or process.poll() is not None)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    gate.is_open.set()
    assert outcome_of(schedule)[0] == "publishing"
    # As long as the lease lasts, somebody may be about to record the answer.
    assert published() == []
    let_the_lease_run_out()
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "outcome_unknown")
    assert history_of(schedule) == [("failed", "interrupted")]
    assert len(posts(chirp)) == 1


def test_a_keyed_post_is_sent_again_after_a_kill(
    row: ChannelConnection, chirp: Chirp, tmp_path: Path, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(more=ADAPTER.format("mastodon")), "chirp")
    environment = environment_with("chirp", catalogue=tmp_path / "catalog.toml")
    gate = Gate(tooted)
    chirp.server.on("POST", MASTODON, gate)
    schedule = due_schedule(row)
    with publisher(environment) as process:
        wait_until(lambda: gate.visitors or process.poll() is not None)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    gate.is_open.set()
    let_the_lease_run_out()
    assert published() == ["pending"]
    make_due(schedule)
    assert published() == ["published"]
    assert history_of(schedule) == [("failed", "interrupted"), ("published", "post-1")]
    keys = {post.headers["Idempotency-Key"] for post in posts(chirp, MASTODON)}
    assert keys == {str(schedule.pk)}


def test_a_kill_before_sending_costs_nothing(
    row: ChannelConnection, chirp: Chirp, environment: dict[str, str]
) -> None:
    gate = Gate(chirp.tokens)
    chirp.server.on("POST", "/token", gate)
    ChannelConnection.objects.update(token_expires_at=timezone.now())
    schedule = due_schedule(row)
    with publisher(environment) as process:
        wait_until(lambda: gate.visitors or process.poll() is not None)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    gate.is_open.set()
    assert outcome_of(schedule)[0] == "queued"
    let_the_lease_run_out()
    ChannelConnection.objects.update(refresh_lease=None, refresh_leased_until=None)
    assert published() == ["published"]
    assert len(posts(chirp)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_publisher_finishes_its_post(
    row: ChannelConnection, chirp: Chirp, environment: dict[str, str], number: signal.Signals
) -> None:
    gate = Gate(accepted)
    chirp.server.on("POST", X, gate)
    schedule = due_schedule(row)
    with publisher(environment, "--forever") as process:
        wait_until(lambda: gate.visitors or process.poll() is not None)
        process.send_signal(number)
        gate.is_open.set()
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "Traceback" in err) == (0, False), err
    assert err.endswith("Stopped; what is due stays due.\n")
    assert "access-0" not in err
    assert outcome_of(schedule) == ("published", None)
