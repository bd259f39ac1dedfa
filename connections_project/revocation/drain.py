"""Work off the revocation jobs: claim one, tell the platform, settle it.

No transaction is open while the platform is asked. A job that was claimed by a process that died
is due again when its lease runs out; telling a platform twice does no harm (RFC 7009, section 2.2).
"""

import logging
import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Origin, record
from connections_project.http.tracing import tracing
from connections_project.identifiers import uuid7
from connections_project.oauth.errors import PlatformError
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.send import CannotSendError, SkippedError, send

logger = logging.getLogger(__name__)

BATCH = 500
INLINE_SECONDS = 5.0
ATTEMPT_SECONDS = 10.0
LEASE = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)


def attempt_now(job_id: UUID, *, interface: Interface) -> None:
    """Try one job right after its commit, for at most 5 s; if that fails it stays due."""
    attempt(job_id, within=INLINE_SECONDS, interface=interface)


def drain(*, interface: Interface) -> Iterator[str]:
    """Try every job that is due now once, and yield what became of each.

    Yields:
        A state of JobState; "pending" for one that failed and was put off.
    """
    started = timezone.now()
    # A job that was tried is settled, or due later than the start, so each batch is a new one.
    while batch := due_jobs(started):
        for job_id in batch:
            outcome = attempt(job_id, within=ATTEMPT_SECONDS, interface=interface)
            if outcome:
                yield outcome


def due_jobs(at: datetime) -> list[UUID]:
    """List the ids of the next jobs that are due, the longest waiting first."""
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    due = RevocationJob.objects.filter(free, state=JobState.PENDING, due_at__lte=at)
    return list(due.order_by("due_at", "id").values_list("id", flat=True)[:BATCH])


def attempt(job_id: UUID, *, within: float, interface: Interface) -> str | None:
    """Claim a job and try it once.

    Args:
        job_id: The job.
        within: Seconds that the platform is given in all.
        interface: The door through which this is done, for the audit.

    Returns:
        The job's state afterwards; None where somebody else works on it or has finished it.
    """
    job = _claim(job_id)
    if job is None:
        return None
    with tracing(job.trace_id):
        return _try(job, deadline=time.monotonic() + within, interface=interface)


def _claim(job_id: UUID) -> RevocationJob | None:
    now = timezone.now()
    lease = uuid7()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    claimed = RevocationJob.objects.filter(free, pk=job_id, state=JobState.PENDING).update(
        lease=lease, leased_until=now + LEASE, attempts=F("attempts") + 1
    )
    return RevocationJob.objects.filter(pk=job_id, lease=lease).first() if claimed else None


def _try(job: RevocationJob, *, deadline: float, interface: Interface) -> str:
    if timezone.now() >= _end_of_life(job):
        return _settle(job, JobState.ABANDONED, interface=interface)
    try:
        send(job, deadline=deadline)
    except SkippedError:
        return _settle(job, JobState.SHARED_GRANT, interface=interface)
    except (PlatformError, CannotSendError) as error:
        return _put_off(job, error, interface=interface)
    return _settle(job, JobState.REVOKED, interface=interface)


def _end_of_life(job: RevocationJob) -> datetime:
    return job.created_at + timedelta(seconds=settings.REVOCATION_GIVE_UP_SECONDS)


ENDINGS = {
    JobState.REVOKED: (Action.TOKEN_REVOKED, Outcome.SUCCESS),
    JobState.SHARED_GRANT: (Action.TOKEN_REVOCATION_SKIPPED, Outcome.SUCCESS),
    JobState.ABANDONED: (Action.TOKEN_REVOCATION_ABANDONED, Outcome.FAILURE),
}


def _settle(job: RevocationJob, state: JobState, *, interface: Interface) -> str:
    """End a job: its sealed token goes in the same statement that says how it ended."""
    action, outcome = ENDINGS[state]
    with transaction.atomic():
        mine = RevocationJob.objects.filter(pk=job.pk, lease=job.lease, state=JobState.PENDING)
        if not mine.update(
            state=state,
            sealed_tokens=None,
            finished_at=timezone.now(),
            lease=None,
            leased_until=None,
        ):
            return JobState.PENDING
        _audit(job, action, outcome, reason=state.value, interface=interface)
    if state is JobState.ABANDONED:
        logger.error("Gave up revoking at %s: job %s, %s", job.platform, job.pk, job.last_error)
    return state


def _put_off(
    job: RevocationJob, error: PlatformError | CannotSendError, *, interface: Interface
) -> str:
    due_at = min(timezone.now() + _backoff(job.attempts, error.retry_after), _end_of_life(job))
    with transaction.atomic():
        mine = RevocationJob.objects.filter(pk=job.pk, lease=job.lease, state=JobState.PENDING)
        if mine.update(due_at=due_at, last_error=error.code, lease=None, leased_until=None):
            _audit(
                job,
                Action.TOKEN_REVOCATION_FAILED,
                Outcome.FAILURE,
                reason=error.code,
                interface=interface,
            )
    # invalid_client is our own misconfiguration (RFC 6749, section 5.2), so somebody must act.
    level = logging.ERROR if error.code == "invalid_client" else logging.WARNING
    logger.log(level, "Revoking at %s failed: job %s, %s", job.platform, job.pk, error.code)
    return JobState.PENDING


def _backoff(attempts: int, retry_after: int | None) -> timedelta:
    """Double the wait with each try, spread by up to a quarter, never below Retry-After."""
    first = timedelta(seconds=settings.REVOCATION_FIRST_RETRY_SECONDS)
    wait: timedelta = min(first * 2 ** min(attempts - 1, 20), LONGEST_BACKOFF) * random.uniform(
        1, 1.25
    )
    return max(wait, timedelta(seconds=retry_after or 0))


def _audit(
    job: RevocationJob, action: Action, outcome: Outcome, *, reason: str, interface: Interface
) -> None:
    record(
        action,
        origin=Origin(actor_type=ActorType.SYSTEM, actor_id=None, interface=interface),
        subject_type=f"{job.app}.connection",
        subject_id=job.connection_id,
        subject_owner_id=job.owner_id,
        outcome=outcome,
        details={"platform": job.platform, "attempts": job.attempts, "result": reason},
        trace_id=job.trace_id,
    )
