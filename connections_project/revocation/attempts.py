"""Try a job once: revoke at the platform, then finish the job or put it off.

No transaction is open while the platform is asked. A try that is cut off leaves the job to whoever
comes when its lease has run out; telling a platform twice does no harm (RFC 7009, section 2.2).
"""

import logging
import time
import traceback
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Event, Origin, record_many
from connections_project.core.jobs.backoff import backoff
from connections_project.core.jobs.lease import FREED
from connections_project.middleware.tracing import tracing
from connections_project.oauth.errors import PlatformError
from connections_project.revocation.circuits import note_answer, note_fault
from connections_project.revocation.claims import claim_one
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.send import CannotSendError, SkippedError, send

logger = logging.getLogger(__name__)

# For two tokens, each of which has 10 s (`oauth/revoking.py`).
ATTEMPT_SECONDS = 20.0
LONGEST_BACKOFF = timedelta(hours=1)


def attempt(job_id: UUID, *, within: float, interface: Interface) -> str | None:
    """Claim a job and try it once.

    Args:
        job_id: The job.
        within: Seconds that the platform is given in all.
        interface: The interface through which this is done, for the audit.

    Returns:
        The job's state afterwards; None where `claim_one` gives none.
    """
    job = claim_one(job_id)
    return None if job is None else attempt_claimed(job, within=within, interface=interface)


def attempt_claimed(
    job: RevocationJob, *, interface: Interface, within: float | None = None
) -> str:
    """Try a job that the caller has claimed.

    Returns:
        A state of JobState; "pending" for one that failed and was put off.
    """
    longest = longest_try()
    deadline = time.monotonic() + (longest if within is None else min(within, longest))
    with tracing(job.trace_id):
        return _try(job, deadline=deadline, interface=interface)


def longest_try() -> float:
    """Return the seconds that a try may take: it is over before its lease is."""
    return min(ATTEMPT_SECONDS, 0.9 * settings.REVOCATION_LEASE_SECONDS)


def _try(job: RevocationJob, *, deadline: float, interface: Interface) -> str:
    if timezone.now() >= end_of_life(job):
        return _finish(job, JobState.ABANDONED, interface=interface)
    try:
        send(job, deadline=deadline)
    except SkippedError:
        return _finish(job, JobState.SHARED_GRANT, interface=interface)
    except CannotSendError as error:
        return _put_off(job, error, interface=interface)
    except PlatformError as error:
        if error.code == "not_asked":
            return _untried(job)
        note_answer(job.platform, error)
        return _put_off(job, error, interface=interface)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - an adapter's bug must not keep others waiting.
        _log_unforeseen(job, error)
        note_fault(job.platform)
        return _put_off(job, CannotSendError("unforeseen"), interface=interface)
    note_answer(job.platform, None)
    return _finish(job, JobState.REVOKED, interface=interface)


def _untried(job: RevocationJob) -> str:
    """Leave a job to whoever comes next, since no thread could wait for its platform."""
    job.give_back(attempts=F("attempts") - 1)
    return JobState.PENDING


def _log_unforeseen(job: RevocationJob, error: Exception) -> None:
    """Log what it was and where, but not its text, which may hold a token."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    logger.error(
        "Unforeseen at %s: %s in %s, line %s: job %s",
        *(job.platform, type(error).__name__, where.filename, where.lineno, job.pk),
    )


def end_of_life(job: RevocationJob) -> datetime:
    return job.created_at + timedelta(seconds=settings.REVOCATION_GIVE_UP_SECONDS)


ENDINGS = {
    JobState.REVOKED: (Action.TOKEN_REVOKED, Outcome.SUCCESS),
    JobState.SHARED_GRANT: (Action.TOKEN_REVOCATION_SKIPPED, Outcome.SUCCESS),
    JobState.ABANDONED: (Action.TOKEN_REVOCATION_ABANDONED, Outcome.FAILURE),
}


def _finish(job: RevocationJob, state: JobState, *, interface: Interface) -> str:
    with transaction.atomic():
        if not end(job.owned(), state):
            return JobState.PENDING
        record_ends([job], state, interface=interface)
    return state


def end(rows: QuerySet[RevocationJob], state: JobState) -> int:
    """End jobs: their sealed tokens go in the same statement that says how they ended.

    Returns:
        How many; whoever ends some has them audited in the same transaction, by `record_ends`.
    """
    return rows.update(state=state, sealed_tokens=None, finished_at=timezone.now(), **FREED)


def record_ends(jobs: Collection[RevocationJob], state: JobState, *, interface: Interface) -> None:
    action, outcome = ENDINGS[state]
    record_many(
        [_event(job, action, outcome, reason=state.value, interface=interface) for job in jobs]
    )
    if state is JobState.ABANDONED:
        for job in jobs:
            logger.error("Gave up revoking at %s: job %s, %s", job.platform, job.pk, job.last_error)


def _put_off(
    job: RevocationJob, error: PlatformError | CannotSendError, *, interface: Interface
) -> str:
    first = settings.REVOCATION_FIRST_RETRY_SECONDS
    wait = backoff(job.attempts, first=first, longest=LONGEST_BACKOFF)
    wanted = timedelta(seconds=error.retry_after or 0)
    due_at = min(timezone.now() + max(wait, wanted), end_of_life(job))
    with transaction.atomic():
        if job.give_back(due_at=due_at, last_error=error.code):
            failed = Action.TOKEN_REVOCATION_FAILED
            record_many(
                [_event(job, failed, Outcome.FAILURE, reason=error.code, interface=interface)]
            )
    # invalid_client is our own misconfiguration (RFC 6749, section 5.2), so somebody must act.
    level = logging.ERROR if error.code == "invalid_client" else logging.WARNING
    logger.log(level, "Revoking at %s failed: job %s, %s", job.platform, job.pk, error.code)
    return JobState.PENDING


def _event(
    job: RevocationJob, action: Action, outcome: Outcome, *, reason: str, interface: Interface
) -> Event:
    return Event(
        action=action,
        origin=Origin(actor_type=ActorType.SYSTEM, actor_id=None, interface=interface),
        subject_type=f"{job.app}.connection",
        subject_id=job.connection_id,
        subject_owner_id=job.owner_id,
        outcome=outcome,
        details={"platform": job.platform, "attempts": job.attempts, "result": reason},
        trace_id=job.trace_id,
    )
