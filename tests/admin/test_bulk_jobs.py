"""Large selections: stored when they are shown, worked off in the background, watched on a page."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connections_project.identity.models import User
from connections_project.operations.admin.bulk_jobs import Progress
from connections_project.operations.admin.force import AT_ONCE
from connections_project.operations.models import BulkItem, BulkJob
from providers.models import Connection
from tests.support.admin_pages import CHANNELS, PROVIDERS, chosen, many, text_of
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of, events

JOBS = "/admin/operations/bulkjob/"

pytestmark = pytest.mark.django_db


def select_all(page: Client, path: str = PROVIDERS) -> Any:
    """Choose everything that matches, on all pages."""
    row = Connection.objects.first() if path == PROVIDERS else None
    return page.post(path, chosen(*([row] if row else []), select_across="1"))


@pytest.fixture
def job(page: Client, platforms: Bank, owner: User) -> BulkJob:
    many(owner)
    answer = select_all(page)
    job = BulkJob.objects.get()
    assert answer["Location"] == f"{JOBS}{job.pk}/change/"
    return job


def test_a_large_selection_is_stored_and_shown_first(page: Client, job: BulkJob) -> None:
    text = text_of(page, f"{JOBS}{job.pk}/change/")
    assert f"connections end, for good {job.total}" in text
    assert f"Exactly these {job.total} connections are disconnected" in text
    assert job.total == AT_ONCE + 5
    assert not Connection.objects.filter(status="disconnected").exists()


@pytest.mark.django_db(transaction=True)
def test_only_the_snapshot_is_disconnected(
    page: Client, job: BulkJob, owner: User, operator: User
) -> None:
    later = connection_of(owner)
    answer = page.post(f"{JOBS}{job.pk}/change/", {"reason": "breach"}, follow=True)
    assert f"{job.total} of {job.total} done (100 %)" in " ".join(answer.content.decode().split())
    assert Connection.objects.filter(status="disconnected").count() == job.total
    later.refresh_from_db()
    assert later.status == "active"
    text = events("connection_force_disconnected")
    assert {(one.reason, one.actor_id) for one in text} == {("breach", operator.pk)}


def test_a_running_job_reloads_and_can_be_paused(page: Client, job: BulkJob) -> None:
    page.post(f"{JOBS}{job.pk}/change/", {"reason": "breach"})
    path = f"{JOBS}{job.pk}/change/"
    assert page.get(path)["Refresh"] == "2"
    assert "Refresh" not in page.get(path, {"still": ""})
    BulkJob.objects.update(state="finished", finished_at=timezone.now())
    assert "Refresh" not in page.get(path)


def test_failures_are_listed_with_their_causes(page: Client, job: BulkJob) -> None:
    item = BulkItem.objects.filter(job=job).first()
    assert item is not None
    BulkItem.objects.filter(pk=item.pk).update(
        state="failed", cause="active_schedules", detail="It has 2 active schedules."
    )
    BulkJob.objects.update(state="finished", reason="x", failed=1, processed=job.total)
    text = text_of(page, f"{JOBS}{job.pk}/change/")
    assert "failed, left as they were 1" in text
    assert f"{item.connection_id} active_schedules It has 2 active schedules." in text


@pytest.mark.django_db(transaction=True)
def test_channels_with_schedules_count_as_failed(
    page: Client, platforms: Bank, owner: User
) -> None:
    rows = [channel_of(owner, account_id=str(number)) for number in range(AT_ONCE + 1)]
    schedule_of(rows[0])
    page.post(CHANNELS, chosen(rows[0], select_across="1"))
    job = BulkJob.objects.get()
    page.post(f"{JOBS}{job.pk}/change/", {"reason": "breach", "skip_revocation": "on"})
    assert str(rows[0].pk) in text_of(page, f"{JOBS}{job.pk}/change/")
    job.refresh_from_db()
    assert (job.processed, job.failed) == (AT_ONCE + 1, 1)


@pytest.mark.parametrize("reason", ["", " ", "x" * 513])
def test_without_a_sound_reason_it_is_not_started(page: Client, job: BulkJob, reason: str) -> None:
    assert page.post(f"{JOBS}{job.pk}/change/", {"reason": reason}).status_code == 200
    job.refresh_from_db()
    assert job.state == "frozen"


def test_only_its_permitted_author_may_confirm_it(
    page: Client, auditors_page: Client, job: BulkJob, operator: User
) -> None:
    path = f"{JOBS}{job.pk}/change/"
    assert auditors_page.post(path, {"reason": "x"}).status_code == 403
    operator.groups.clear()
    assert page.post(path, {"reason": "x"}).status_code == 403
    job.refresh_from_db()
    assert job.state == "frozen"


def test_confirming_it_twice_starts_it_once(page: Client, job: BulkJob) -> None:
    for _ in range(2):
        answer = page.post(f"{JOBS}{job.pk}/change/", {"reason": "breach"})
        assert answer.status_code in {200, 302}
    assert BulkJob.objects.get().reason == "breach"


def test_rate_and_estimate_follow_the_progress() -> None:
    started = timezone.now()
    job = BulkJob(total=1000, processed=250, state="running", started_at=started)
    progress = Progress.of(job, now=started + timedelta(seconds=10))
    assert (progress.percent, progress.rate, progress.left) == (25, 25.0, 30)
    assert Progress.of(BulkJob(total=5, state="queued"), now=started).left is None
