"""Posts go out by real workers, and one that dies in the middle of it leaves no second post."""

import pytest

from channels.models import ChannelConnection, Schedule
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.channel_publishing import ADAPTER, X, accepted, due_schedule, outcome_of, posts
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.deployment import wait_until
from tests.support.platform_server import Answer, PlatformServer, Request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chirp(bank: Bank, server: PlatformServer, use_catalogue: UseCatalogue) -> Chirp:
    made = Chirp(server)
    use_catalogue(made.catalogue(more=ADAPTER.format("x")), "chirp")
    made.open()
    return made


@pytest.fixture
def row(owner: User, chirp: Chirp) -> ChannelConnection:
    return channel_of(owner)


def test_a_killed_workers_post_is_never_resent(
    row: ChannelConnection, chirp: Chirp, deploy: Deploy
) -> None:
    fatal, *others = [due_schedule(row, content=f"Post {number}") for number in range(20)]

    def answer(request: Request) -> Answer:
        text = request.json["text"]
        return accepted(text) if text != fatal.content else Answer(delay=60)

    chirp.server.on("POST", X, answer)
    deployment = deploy("chirp", PUBLISH_LEASE_SECONDS="2")
    with deployment.beat(), deployment.workers(2) as workers:
        wait_until(lambda: Schedule.objects.filter(status="published").count() == len(others))
        wait_until(lambda: outcome_of(fatal)[0] == "publishing")
        for worker in workers:
            worker.kill()
        with deployment.workers(1):
            wait_until(lambda: outcome_of(fatal)[0] == "failed")
    assert outcome_of(fatal) == ("failed", "outcome_unknown")
    assert len(posts(chirp)) == 20
    assert {post.json["text"] for post in posts(chirp)} == {f"Post {n}" for n in range(20)}
