"""The hosts of beat and of the workers have clocks that differ."""

from collections.abc import Callable

import pytest

from connections_project.revocation.models import RevocationJob
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import wait_until
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db(transaction=True)

CELERY = ("celery", "-A", "connections_project")


def test_a_worker_whose_clock_is_ahead_does_what_beat_asks_for(
    bank: Bank, use_catalogue: Callable[..., None], deploy: Deploy
) -> None:
    use_catalogue(bank.catalogue("bank", revocation='tokens = ["refresh_token"]'), "bank")
    deployment = deploy()
    moved = ("tests.support.moved_clock", "3600", *CELERY, "worker", "--without-mingle")
    with deployment.beat(), deployment.running("worker", *moved) as worker:
        worker.wait_for(" ready.")
        make_jobs("bank", "a-token")
        wait_until(lambda: RevocationJob.objects.filter(state="revoked").exists(), why=worker.said)
