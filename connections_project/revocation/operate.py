"""What an operator may do to a pending revocation: retry it now, or give it up."""

from uuid import UUID

from django.db import transaction

from audit.events import Action, Outcome
from audit.record import Origin, record_many
from connections_project.core import clock
from connections_project.revocation.attempts import end, job_event
from connections_project.revocation.circuits import allow_probe
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.models import JobState, RevocationJob


def retry_now(job_ids: list[UUID], *, origin: Origin) -> int:
    """Make pending jobs due now, whatever their backoff.

    Returns:
        How many were pending. One that somebody tries just now is tried once more.
    """
    now = clock.now()
    with transaction.atomic():
        jobs = _locked(job_ids)
        RevocationJob.objects.filter(pk__in=[job.pk for job in jobs]).update(due_at=now)
        retried = (Action.TOKEN_REVOCATION_RETRIED, Outcome.SUCCESS)
        record_many(job_event(job, *retried, origin, job=str(job.pk)) for job in jobs)
        dispatch_revocations([job.pk for job in jobs], interface=origin.interface)
    return len(jobs)


def probe_now(job_id: UUID, *, origin: Origin) -> bool:
    """Ask a platform that is left alone once more now, by a job of its.

    Returns:
        Whether the job was pending.
    """
    with transaction.atomic():
        for platform in (
            RevocationJob.pending().filter(pk=job_id).values_list("platform", flat=True)
        ):
            allow_probe(platform)
        return bool(retry_now([job_id], origin=origin))


def give_up(job_ids: list[UUID], *, reason: str, origin: Origin) -> int:
    """Abandon pending jobs: their sealed tokens are erased, and nothing more is sent.

    Args:
        job_ids: Those that are over already are passed over.
        reason: Why, at most 512 characters.

    Returns:
        How many were pending.
    """
    with transaction.atomic():
        jobs = _locked(job_ids)
        # Whoever tries one just now finds that it is no longer its own.
        end(RevocationJob.objects.filter(pk__in=[job.pk for job in jobs]), JobState.ABANDONED)
        abandoned = (Action.TOKEN_REVOCATION_ABANDONED, Outcome.FAILURE)
        record_many(
            job_event(job, *abandoned, origin, reason=reason, job=str(job.pk)) for job in jobs
        )
    return len(jobs)


def _locked(job_ids: list[UUID]) -> list[RevocationJob]:
    pending = RevocationJob.objects.filter(pk__in=job_ids, state=JobState.PENDING)
    return list(pending.select_for_update().order_by("id"))
