"""A thousand revocations, while workers are killed and Redis forgets everything (issue: workers).

A platform that is down all the while delays none of the others.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.revocation.models import RevocationJob
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import wait_until
from tests.support.platform_server import Answer
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db(transaction=True)

PLATFORMS = ("north", "east", "south", "west")
EACH = 250


@pytest.fixture
def platforms(bank: Bank, use_catalogue: Callable[..., None]) -> tuple[str, ...]:
    """Four that take a moment to answer, and one that never answers."""
    one = 'tokens = ["refresh_token"]'
    texts = [
        bank.catalogue(slug, revocation=one).replace("/revoke", f"/{slug}")
        for slug in (*PLATFORMS, "down")
    ]
    use_catalogue("\n".join(texts), *PLATFORMS, "down")
    for slug in PLATFORMS:
        bank.server.on("POST", f"/{slug}", Answer(200, delay=0.02))
    bank.server.on("POST", "/down", Answer(delay=60))
    return (*PLATFORMS, "down")


def tokens(slug: str) -> list[str]:
    return [f"{slug}-{number}" for number in range(EACH)]


def pending(**columns: object) -> int:
    return RevocationJob.objects.filter(state="pending", **columns).count()


def test_all_revocations_end_whatever_dies(
    platforms: tuple[str, ...], bank: Bank, deploy: Deploy
) -> None:
    make_jobs("down", *tokens("down")[:50], ago=3600)
    for slug in PLATFORMS:
        make_jobs(slug, *tokens(slug))
    # So that one worker can't do it all, and none is idle when it is killed.
    deployment = deploy(*platforms, REVOCATION_THREADS="12", REVOCATION_PLATFORM_LIMIT="12")
    broker = redis.Redis.from_url(settings.REDIS_URL)
    with deployment.beat(), deployment.workers(3) as (first, second, _):
        wait_until(lambda: received(bank) > 200)
        first.kill()
        wait_until(lambda: received(bank) > 400)
        broker.flushdb()
        wait_until(lambda: received(bank) > 600)
        second.kill()
        wait_until(lambda: not pending(platform__in=PLATFORMS))
        assert_all_arrived(bank)
        # It was asked all the while, and none of its jobs is done.
        assert pending(platform="down") == 50
        assert bank.server.requests_to("/down")
        day = timedelta(hours=24)
        RevocationJob.objects.filter(platform="down").update(created_at=timezone.now() - day)
        wait_until(lambda: not pending())
    assert_given_up()


def received(bank: Bank) -> int:
    return sum(len(bank.server.requests_to(f"/{slug}")) for slug in PLATFORMS)


def assert_all_arrived(bank: Bank) -> None:
    for slug in PLATFORMS:
        revoked = {one.form["token"] for one in bank.server.requests_to(f"/{slug}")}
        assert revoked == set(tokens(slug))
    done = RevocationJob.objects.filter(platform__in=PLATFORMS)
    assert set(done.values_list("state", "sealed_tokens")) == {("revoked", None)}
    assert done.filter(attempts__gt=1).exists(), "no worker was killed in the middle of a try"
    # Each is audited once, also those that were tried by a worker that died and by another one.
    audited = AuditEvent.objects.filter(action="token_revoked")
    assert audited.count() == audited.values("subject_id").distinct().count() == len(tokens("")) * 4


def assert_given_up() -> None:
    assert not RevocationJob.objects.exclude(sealed_tokens=None).exists()
    assert RevocationJob.objects.filter(platform="down", state="abandoned").count() == 50
    given_up = AuditEvent.objects.filter(action="token_revocation_abandoned", interface="worker")
    assert given_up.values("subject_id").distinct().count() == given_up.count() == 50
