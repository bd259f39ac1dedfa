"""A platform that fails again and again is left alone, probed, and holds up no other."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from audit.events import Interface
from connections_project.core.jobs.circuit import FAILURES_TO_OPEN
from connections_project.revocation.circuits import may_probe, open_until
from connections_project.revocation.models import CallCircuit, Circuit, ProbeCircuit, RevocationJob
from connections_project.revocation.worker import run_worker
from tests.revocation.conftest import processed
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.revocation_jobs import make_jobs

UseCatalogue = Callable[..., None]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_banks(bank: Bank, use_catalogue: UseCatalogue) -> None:
    """One that is down, and one that works."""
    one = 'tokens = ["refresh_token"]'
    text = bank.catalogue("down", revocation=one).replace("/revoke", "/down")
    use_catalogue(text + bank.catalogue("up", revocation=one), "down", "up")
    bank.server.on("POST", "/down", Answer(503))


def heeding() -> list[str]:
    return list(run_worker(interface=Interface.WORKER))


def asked(bank: Bank) -> int:
    return len(bank.server.requests_to("/down"))


def names(count: int) -> list[str]:
    return [f"token-{number}" for number in range(count)]


def circuit() -> Circuit:
    return Circuit.objects.get(platform="down")


def test_repeated_faults_block_it_and_no_other(bank: Bank) -> None:
    make_jobs("down", *names(20), ago=60)
    make_jobs("up", "theirs")
    outcomes = heeding()
    assert asked(bank) == FAILURES_TO_OPEN == 5
    assert outcomes.count("revoked") == 1
    assert RevocationJob.objects.filter(platform="down", attempts=0).count() == 15
    assert heeding() == []


def test_after_the_wait_one_job_probes(bank: Bank) -> None:
    make_jobs("down", *names(20))
    heeding()
    until = circuit().blocked_until
    assert until is not None
    with time_machine.travel(until, tick=False):
        assert heeding() == ["pending"]
        assert asked(bank) == 6
        assert heeding() == []


def test_failed_probes_lengthen_it_to_five_minutes(bank: Bank) -> None:
    make_jobs("down", *names(30))
    blocks = []
    now = timezone.now()
    for _ in range(8):
        with time_machine.travel(now, tick=False):
            heeding()
            until = circuit().blocked_until
            assert until is not None
            blocks.append((until - now).total_seconds())
        now = until
    for block, least in zip(blocks, [30, 60, 120, 240, 300, 300, 300, 300], strict=True):
        assert least <= block <= least * 1.25


def test_a_successful_probe_releases_the_others(bank: Bank) -> None:
    make_jobs("down", *names(12))
    heeding()
    until = circuit().blocked_until
    assert until is not None
    bank.server.on("POST", "/down", Answer(200))
    with time_machine.travel(until + timedelta(hours=1), tick=False):
        assert heeding() == ["revoked"] * 12
    assert (circuit().faults, circuit().blocked_until) == (0, None)


def test_retry_after_is_honoured_up_to_an_hour(bank: Bank) -> None:
    bank.server.on("POST", "/down", Answer(429, headers={"Retry-After": "86400"}))
    make_jobs("down", *names(6))
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        heeding()
    assert circuit().blocked_until == now + timedelta(hours=1)


def test_a_token_error_is_no_platform_fault(bank: Bank) -> None:
    bank.server.on("POST", "/down", Answer(400, json={"error": "invalid_request"}))
    make_jobs("down", *names(12))
    assert heeding() == ["pending"] * 12
    assert circuit().faults == 0


def test_a_success_restarts_the_count(bank: Bank) -> None:
    bank.server.on("POST", "/down", *[Answer(503), Answer(200)] * 6)
    make_jobs("down", *names(12))
    assert heeding() == ["pending", "revoked"] * 6


def test_without_a_first_wait_it_is_one_second(settings: LazySettings) -> None:
    settings.REVOCATION_FIRST_RETRY_SECONDS = 0
    make_jobs("down", *names(8))
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        heeding()
    until = circuit().blocked_until
    assert until is not None
    assert 1 <= (until - now).total_seconds() <= 1.25


def test_blocked_jobs_past_their_age_are_given_up(bank: Bank) -> None:
    make_jobs("down", *names(20))
    heeding()
    asked_before = asked(bank)
    RevocationJob.objects.update(created_at=timezone.now() - timedelta(hours=24))
    assert heeding() == ["given_up"] * 20
    assert asked(bank) == asked_before
    assert not RevocationJob.objects.exclude(sealed_tokens=None).exists()


def test_a_manual_pass_tries_troubled_ones_last(
    bank: Bank,
) -> None:
    make_jobs("down", *names(9), ago=60)
    make_jobs("up", *names(2))
    assert processed() == ["pending"] * 5 + ["revoked"] * 2 + ["pending"] * 4


def test_a_wait_longer_than_any_was_set_by_a_wrong_clock(bank: Bank) -> None:
    ahead = timezone.now() + timedelta(hours=20)
    Circuit.objects.create(platform="up", faults=5, blocked_until=ahead)
    CallCircuit.objects.create(platform="up", faults=5, blocked_until=ahead)
    ProbeCircuit.objects.create(platform="up", faults=5, blocked_until=ahead)
    make_jobs("up", "one")
    assert heeding() == ["revoked"]
    assert open_until(CallCircuit, "up") is None
    assert may_probe("up")
