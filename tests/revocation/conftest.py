"""A connection that was just disconnected, and the passes that process its revocation jobs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import Interface
from connections_project.identity.models import User
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.worker import run_worker
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of

EndOf = Callable[[Connection], RevocationJob]


@pytest.fixture
def row(owner: User, bank: Bank) -> Connection:
    """A connection with access-0 and refresh-0."""
    return connection_of(owner)


@pytest.fixture
def end(api: APIClient) -> EndOf:
    """Disconnect, and give the job that this has left; it is tried when the test says so."""

    def end(row: Connection) -> RevocationJob:
        assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
        return RevocationJob.objects.get(connection_id=row.pk)

    return end


@pytest.fixture
def job(row: Connection, end: EndOf) -> RevocationJob:
    return end(row)


@pytest.fixture
def pending_job(row: Connection, end: EndOf, bank: Bank) -> RevocationJob:
    """A job whose first try has failed, in a transactional test, and that is due again."""
    bank.server.on("POST", "/revoke", Answer(503))
    job = end(row)
    make_due(job)
    bank.server.on("POST", "/revoke", Answer(200))
    return job


def processed() -> list[str]:
    """Make one pass, as `run_revocations` does: also at platforms that are in trouble."""
    return list(run_worker(interface=Interface.COMMAND, heed_circuits=False))


def make_due(job: RevocationJob) -> None:
    RevocationJob.objects.filter(pk=job.pk).update(due_at=timezone.now() - timedelta(seconds=1))
