"""Without workers a request revokes for five seconds in all."""

import time

import pytest
from django.conf import LazySettings
from django.core.signals import request_finished, request_started
from django.db import transaction

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.core import inline
from connections_project.identity.models import User
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.disconnects import disconnect_one
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = Origin(ActorType.OPERATOR, None, Interface.COMMAND)


@pytest.fixture(autouse=True)
def _in_half_a_second(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "INLINE_SECONDS", 0.5)


def states() -> list[str]:
    return list(RevocationJob.objects.order_by("id").values_list("state", flat=True))


def end_all(rows: list[Connection]) -> None:
    with transaction.atomic():
        for row in Connection.objects.select_for_update().filter(pk__in=[one.pk for one in rows]):
            disconnect_one(row, origin=ORIGIN)


def test_all_of_a_transaction_are_tried_in_time(owner: User, bank: Bank) -> None:
    end_all([connection_of(owner, account_id=str(number)) for number in range(4)])
    assert states() == ["revoked"] * 4


def test_many_at_a_platform_that_hangs_share_the_time(owner: User, bank: Bank) -> None:
    rows = [connection_of(owner, account_id=str(number)) for number in range(20)]
    bank.server.on("POST", "/revoke", Answer(delay=5))
    began = time.monotonic()
    end_all(rows)
    assert time.monotonic() - began < 1.5
    assert states() == ["pending"] * 20
    # Those for which no time was left have not been tried, and are due at once.
    assert RevocationJob.objects.filter(attempts=0).count() == 19


def test_several_transactions_share_the_time(bank: Bank) -> None:
    first, second = make_jobs("bank", "one", "two")
    bank.server.on("POST", "/revoke", Answer(delay=5))
    request_started.send(None)
    try:
        for job in (first, second):
            dispatch_revocations([job.pk], interface=Interface.API)
    finally:
        request_finished.send(None)
    assert sorted(RevocationJob.objects.values_list("attempts", flat=True)) == [0, 1]


def test_the_next_request_has_its_own_time(bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(delay=5), Answer(200))
    for job in make_jobs("bank", "one", "two"):
        request_started.send(None)
        dispatch_revocations([job.pk], interface=Interface.API)
        request_finished.send(None)
    assert states() == ["pending", "revoked"]


def test_a_rolled_back_savepoint_hinders_none(owner: User, bank: Bank) -> None:
    kept, undone = (connection_of(owner, account_id=number) for number in "12")
    with transaction.atomic():
        with transaction.atomic():
            disconnect_one(undone, origin=ORIGIN)
            transaction.set_rollback(True)
        disconnect_one(kept, origin=ORIGIN)
    assert states() == ["revoked"]


def test_with_a_broker_nothing_is_tried_here(
    owner: User, bank: Bank, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    result: list[str] = []
    settings.CELERY_BROKER_URL = "redis://127.0.0.1/0"
    monkeypatch.setattr("connections_project.core.dispatch._broker.send", result.append)
    end_all([connection_of(owner, account_id=str(number)) for number in range(3)])
    assert result == ["connections_project.revocation.worker.process_revocations"]
    assert (states(), bank.revoked) == (["pending"] * 3, [])
