"""Those who work off the revocation jobs, beside each other."""

from collections.abc import Callable
from datetime import timedelta
from itertools import chain

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import Interface
from audit.models import AuditEvent
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.worker import run_worker
from tests.races.conftest import Gate, at_once, meanwhile
from tests.support.bank import Bank, connect
from tests.support.platform_server import Answer

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MakeClients = Callable[[int], list[APIClient]]


def processed() -> list[str]:
    return list(run_worker(interface=Interface.COMMAND, heed_circuits=False))


def test_a_pass_leaves_the_requests_job_alone(
    bank: Bank, api: APIClient, make_clients: MakeClients
) -> None:
    connection = connect(api)
    gate = Gate(lambda: Answer(200))
    bank.server.on("POST", "/revoke", gate)
    (ending,) = make_clients(1)
    path = f"/api/v1/auth/{connection.pk}/disconnect"
    with meanwhile(lambda: ending.delete(path)) as disconnected:
        gate.wait_for_visitor()
        assert processed() == []
        gate.is_open.set()
    assert disconnected.result().status_code == 200
    assert bank.revoked == ["refresh-1", "access-1"]
    job = RevocationJob.objects.get()
    assert (job.state, job.attempts, job.sealed_tokens) == (JobState.REVOKED, 1, None)


def test_passes_beside_each_other_try_each_job_once(
    bank: Bank, api: APIClient, no_limits: None
) -> None:
    bank.server.on("POST", "/revoke", Answer(503))
    # Fewer than open the circuit of calls in requests.
    for number in range(4):
        bank.account_id = f"customer-{number}"
        assert api.delete(f"/api/v1/auth/{connect(api).pk}/disconnect").status_code == 200
    RevocationJob.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    tried = len(bank.revoked)
    bank.server.on("POST", "/revoke", Answer(200, delay=0.02))
    outcomes = at_once([processed] * 4)
    assert list(chain(*outcomes)) == [JobState.REVOKED] * 4
    assert sorted(bank.revoked[tried:]) == sorted(
        f"{kind}-{number}" for kind in ("access", "refresh") for number in range(1, 5)
    )
    assert set(RevocationJob.objects.values_list("attempts", flat=True)) == {2}
    assert AuditEvent.objects.filter(action="token_revoked").count() == 4
