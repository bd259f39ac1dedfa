"""Operators hurry a revocation along, or give it up; both are audited."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.revocation.models import Circuit, RevocationJob
from tests.support.admin_pages import job_of, text_of
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, events

LIST = "/admin/revocation/revocationjob/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(bank: Bank, owner: User) -> RevocationJob:
    """One that waits for its next try."""
    made = job_of(connection_of(owner, status="disconnected"), attempts=3, last_error="timeout")
    RevocationJob.objects.update(due_at="2126-01-01T00:00:00Z")
    return made


def test_a_retry_makes_it_due_at_once(page: Client, job: RevocationJob, operator: User) -> None:
    page.post(f"{LIST}{job.pk}/retry/")
    due_at = RevocationJob.objects.get().due_at
    assert due_at.year < 2126
    (event,) = events("token_revocation_retried")
    assert (event.actor_id, event.interface, event.subject_id) == (
        operator.pk, "admin", job.connection_id,
    )  # fmt: skip


def test_many_are_retried_from_the_list(page: Client, job: RevocationJob) -> None:
    done = job_of(
        connection_of(User.objects.get(email="owner@example.com"), status="failed"), "revoked"
    )
    chosen = {"action": "retry_selected", "_selected_action": [str(job.pk), str(done.pk)]}
    answer = page.post(LIST, chosen, follow=True)
    assert "1 of them were pending" in answer.content.decode()
    assert len(events("token_revocation_retried")) == 1


def test_one_whose_token_lives_on_stands_out(page: Client, job: RevocationJob) -> None:
    RevocationJob.objects.update(verification="still_alive", last_error="still_alive")
    assert "still alive" in text_of(page, f"{LIST}?verification=still_alive")
    assert "still alive" in text_of(page, f"{LIST}{job.pk}/change/")
    assert "0 revocation jobs" in text_of(page, f"{LIST}?verification=verified_dead")
    connection = f"/admin/providers/connection/{job.connection_id}/change/"
    assert "a token is still good" in text_of(page, connection)


def test_giving_up_erases_the_token_with_a_reason(page: Client, job: RevocationJob) -> None:
    page.post(f"{LIST}{job.pk}/give-up/", {"reason": "the platform is gone"})
    job.refresh_from_db()
    assert (job.state, job.sealed_tokens) == ("abandoned", None)
    assert job.finished_at
    (event,) = events("token_revocation_abandoned")
    assert (event.actor_type, event.reason) == ("operator", "the platform is gone")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 513, "a\u202eb"])
def test_giving_up_needs_a_sound_reason(page: Client, job: RevocationJob, reason: str) -> None:
    answer = page.post(f"{LIST}{job.pk}/give-up/", {"reason": reason})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert RevocationJob.objects.get().state == "pending"


def test_a_finished_job_offers_no_action(page: Client, bank: Bank, owner: User) -> None:
    job = job_of(connection_of(owner, status="disconnected"), "revoked")
    for action in ("retry", "give-up"):
        page.post(f"{LIST}{job.pk}/{action}/", {"reason": "why not"})
    assert RevocationJob.objects.get().state == "revoked"
    assert not AuditEvent.objects.exists()
    assert "Retry now" not in text_of(page, f"{LIST}{job.pk}/change/")


def test_auditors_see_no_button_and_are_refused(auditors_page: Client, job: RevocationJob) -> None:
    text = text_of(auditors_page, f"{LIST}{job.pk}/change/")
    assert "Retry now" not in text
    assert "Give up" not in text
    for action in ("retry", "give-up"):
        assert auditors_page.get(f"{LIST}{job.pk}/{action}/").status_code == 403
        assert auditors_page.post(f"{LIST}{job.pk}/{action}/", {"reason": "x"}).status_code == 403
    assert RevocationJob.objects.get().state == "pending"


def test_waiting_is_not_being_tried(page: Client, job: RevocationJob) -> None:
    assert " waiting " in text_of(page, LIST)
    RevocationJob.objects.update(leased_until="2126-01-01T00:00:00Z", lease=job.pk)
    assert " being tried " in text_of(page, LIST)


def test_they_are_filtered_by_platform(page: Client, job: RevocationJob) -> None:
    assert "1 revocation job" in text_of(page, LIST, platform="bank")
    assert "0 revocation jobs" in text_of(page, LIST, platform="schwab")


class TestOpenCircuit:
    """The platform has failed again and again, and is left alone for a while."""

    @pytest.fixture(autouse=True)
    def until(self, job: RevocationJob) -> str:
        until = timezone.now() + timedelta(minutes=30)
        Circuit.objects.create(platform="bank", faults=5, blocked_until=until)
        return f"{until:%Y-%m-%d %H:%M:%S} UTC"

    @pytest.mark.django_db(transaction=True)
    def test_a_retry_says_that_it_waits(
        self, page: Client, job: RevocationJob, bank: Bank, until: str
    ) -> None:
        asked = text_of(page, f"{LIST}{job.pk}/retry/")
        assert f"nothing is sent to it until {until}" in asked
        said = page.post(f"{LIST}{job.pk}/retry/", follow=True).content.decode()
        assert f"left alone until {until}" in said
        assert bank.revoked == []

    @pytest.mark.django_db(transaction=True)
    def test_a_probe_asks_once(self, page: Client, job: RevocationJob, bank: Bank) -> None:
        assert "Probe now" in text_of(page, f"{LIST}{job.pk}/change/")
        page.post(f"{LIST}{job.pk}/probe/")
        assert len(bank.revoked) == 2
        assert RevocationJob.objects.get().state == "revoked"
        assert Circuit.objects.get().faults == 0


def test_without_a_circuit_there_is_nothing_to_probe(page: Client, job: RevocationJob) -> None:
    assert "Probe now" not in text_of(page, f"{LIST}{job.pk}/change/")
