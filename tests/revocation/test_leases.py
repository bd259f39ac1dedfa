"""A job belongs to whoever claimed it, until that one is done or its lease has run out."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from audit.events import Interface
from connections_project.core import inline
from connections_project.core.ids import uuid7
from connections_project.revocation.attempts import attempt
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.tries import longest_try
from providers.models import Connection
from tests.revocation.conftest import EndOf, make_due, processed
from tests.support.bank import Bank
from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import events


def claim(job: RevocationJob, seconds: float) -> None:
    RevocationJob.objects.filter(pk=job.pk).update(
        lease=uuid7(), leased_until=timezone.now() + timedelta(seconds=seconds)
    )


def test_another_workers_job_is_left_alone(job: RevocationJob, bank: Bank) -> None:
    claim(job, 30)
    assert processed() == []
    assert attempt(job.pk, within=1, interface=Interface.COMMAND) is None
    assert bank.revoked == []


def test_the_lease_of_a_worker_that_died_runs_out(job: RevocationJob, bank: Bank) -> None:
    claim(job, 30)
    # A host whose clock is ahead takes nothing over.
    with time_machine.travel(timezone.now() + timedelta(seconds=31), tick=False):
        assert processed() == []
    claim(job, -1)
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-0", "access-0"]


@pytest.mark.parametrize(("lease", "longest"), [(30, 20), (20, 18), (10, 9), (1, 0.9)])
def test_a_lease_outlives_every_try(settings: LazySettings, lease: int, longest: float) -> None:
    settings.REVOCATION_LEASE_SECONDS = lease
    assert longest_try() == longest
    assert inline.INLINE_SECONDS == 5


def test_how_long_a_lease_is_is_a_setting(
    job: RevocationJob, bank: Bank, settings: LazySettings
) -> None:
    settings.REVOCATION_LEASE_SECONDS = 1
    bank.server.on("POST", "/revoke", Answer(drip_headers=0.3))
    began = time.monotonic()
    assert processed() == ["pending"]
    assert time.monotonic() - began < 5
    job.refresh_from_db()
    assert job.last_error == "timeout"


def test_an_unknown_job_is_nobodys(job: RevocationJob) -> None:
    assert attempt(uuid7(), within=1, interface=Interface.COMMAND) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answer", [Answer(200), Answer(503)])
def test_a_lost_lease_stores_nothing(
    row: Connection, end: EndOf, bank: Bank, answer: Answer
) -> None:
    def script(_: Request) -> Answer:
        with_own_connection(lambda: claim(job, 30))
        return answer

    # The try of the disconnect itself fails.
    bank.server.on("POST", "/revoke", Answer(503), script)
    job = end(row)
    make_due(job)
    assert processed() == ["pending"]
    job.refresh_from_db()
    assert job.state == "pending"
    assert job.lease is not None
    assert events("token_revoked") == []
    assert len(events("token_revocation_failed")) == 1
