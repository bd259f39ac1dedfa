"""A revocation that is under way when a person is erased forgets whose it was once it is over."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from audit.record import WORKER
from connections_project.core.periodic import periodic_tasks
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.operate import give_up
from connections_project.webhooks.erasures import forget_whose_grants_ended
from tests.support.revocation_jobs import make_jobs
from tests.support.webhook_signing import signed_request
from tests.webhooks.conftest import PERSON, connected
from tests.webhooks.test_meta_data_deletion import send

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(sent_by: Any, owner: User) -> RevocationJob:
    sent_by("meta")
    row = connected("providers", owner)
    (made,) = make_jobs("meta_bank", "one", connection_id=row.pk, platform_user_id=PERSON)
    return made


def whose() -> str | None:
    return RevocationJob.objects.get().platform_user_id


def test_it_is_known_until_then_and_not_after(anonymous: APIClient, job: RevocationJob) -> None:
    assert send(anonymous, signed_request()).status_code == 200
    assert forget_whose_grants_ended() == 0
    assert whose() == PERSON
    with time_machine.travel(timezone.now() + timedelta(days=1, hours=1)):
        assert give_up([job.pk], reason="too old", origin=WORKER) == 1
    assert RevocationJob.objects.get().state == JobState.ABANDONED
    with time_machine.travel(timezone.now() + timedelta(days=1, hours=2)):
        assert forget_whose_grants_ended() == 1
    assert whose() is None


def test_of_others_it_stays_known(anonymous: APIClient, job: RevocationJob) -> None:
    RevocationJob.objects.update(connection_id=job.pk)
    send(anonymous, signed_request())
    with time_machine.travel(timezone.now() + timedelta(days=1, hours=1)):
        give_up([job.pk], reason="too old", origin=WORKER)
    with time_machine.travel(timezone.now() + timedelta(days=1, hours=2)):
        assert forget_whose_grants_ended() == 0
    assert whose() == PERSON


def test_who_is_forgotten_leaves_none_either(sent_by: Any, owner: User, outsider: User) -> None:
    sent_by("meta")
    mine, others = connected("providers", owner), connected("providers", outsider)
    offboarding.forget(owner, reason="Art. 17", origin=command_origin(None))
    RevocationJob.objects.all().delete()
    over = timezone.now() - timedelta(minutes=11)
    ended: dict[str, Any] = {"platform_user_id": PERSON, "state": "revoked", "sealed_tokens": None}
    make_jobs("meta_bank", "one", connection_id=mine.pk, finished_at=over, **ended)
    make_jobs("meta_bank", "two", connection_id=mine.pk, platform_user_id=PERSON)
    make_jobs("meta_bank", "three", connection_id=others.pk, finished_at=over, **ended)
    assert forget_whose_grants_ended() == 1
    left = RevocationJob.objects.filter(platform_user_id=PERSON)
    assert {(job.connection_id, job.state) for job in left} == {
        (mine.pk, "pending"), (others.pk, "revoked")
    }  # fmt: skip


def test_it_is_background_work() -> None:
    assert forget_whose_grants_ended in [task.work for task in periodic_tasks()]
