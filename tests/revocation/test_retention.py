"""Jobs that are over end too, after JOB_RETENTION_DAYS."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from connections_project.core import retention
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.retention import forget_old_jobs
from tests.support.query_plans import plan_with
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db


def over(*tokens: str, days: int) -> None:
    ended = timezone.now() - timedelta(days=days)
    make_jobs("bank", *tokens, state="revoked", sealed_tokens=None, finished_at=ended)


def test_only_old_jobs_that_are_over_are_deleted() -> None:
    over("a", "b", days=401)
    over("c", days=399)
    make_jobs("bank", "d", ago=500 * 24 * 3600)
    assert forget_old_jobs() == 2
    assert set(RevocationJob.objects.values_list("state", flat=True)) == {"revoked", "pending"}
    assert RevocationJob.objects.count() == 2


def test_zero_keeps_them_for_ever(settings: LazySettings) -> None:
    settings.JOB_RETENTION_DAYS = 0
    over("a", days=30_000)
    assert forget_old_jobs() == 0
    assert RevocationJob.objects.exists()


def test_many_are_deleted_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    over(*"abcde", days=401)
    assert forget_old_jobs() == 5
    assert not RevocationJob.objects.exists()


def test_old_ones_are_found_by_an_index() -> None:
    old = RevocationJob.objects.filter(finished_at__lt=timezone.now()).order_by("finished_at")
    assert "revocation_by_end" in plan_with("revocation_by_end", old)
