"""Try a job once: revoke at the platform, then finish the job or put it off.

No transaction is open while the platform is asked. A try that is cut off leaves the job to whoever
comes when its lease has run out; telling a platform twice does no harm (RFC 7009, section 2.2).
"""

import logging
import time
import traceback
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
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
from connections_project.revocation.circuits import is_fault, note_fault, note_success
from connections_project.revocation.claims import claim_one
from connections_project.revocation.models import JobState, RevocationJob, Verification
from connections_project.revocation.send import (
    CannotSendError,
    SkippedError,
    StillAliveError,
    send,
)
from connections_project.revocation.verify import verify

logger = logging.getLogger(__name__)

# For two tokens, each of which has 10 s (`oauth/revoking.py`).
ATTEMPT_SECONDS = 20.0
# What a try may take of its lease.
LEASE_SHARE = 0.9
# What probing may take: a token of which nothing is heard by then can't be verified.
LONGEST_PROBE = 5.0
LONGEST_INLINE_PROBE = 1.0
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
    return settle([ask(job, within=within)], interface=interface)[0]


@dataclass(frozen=True)
class Try:
    """What a try has come to, before it is stored.

    Args:
        job: The job that was tried.
        state: How it ends; pending where it doesn't.
        error: Why not.
        is_well: What is known of the platform now; None if it was not asked.
    """

    job: RevocationJob
    state: JobState
    error: PlatformError | CannotSendError | None = None
    is_well: bool | None = None


def ask(job: RevocationJob, *, within: float | None = None) -> Try:
    """Ask the platform to revoke the tokens of a claimed job, and store nothing of it yet.

    Args:
        job: The job.
        within: Seconds that the platform is given in all, where it is less than usual.
    """
    longest, now = longest_try(), time.monotonic()
    deadline = now + (longest if within is None else min(within, longest))
    # Nobody waits for a worker, whose lease must not run out all the same.
    last = now + LEASE_SHARE * settings.REVOCATION_LEASE_SECONDS if within is None else deadline
    patience = LONGEST_PROBE if within is None else LONGEST_INLINE_PROBE
    with tracing(job.trace_id):
        return _ask(job, Times(deadline, last, patience))


def longest_try() -> float:
    """Return the seconds that a try may take: it is over before its lease is."""
    return min(ATTEMPT_SECONDS, LEASE_SHARE * settings.REVOCATION_LEASE_SECONDS)


@dataclass(frozen=True)
class Times:
    """The ends of a try on the monotonic clock.

    Args:
        deadline: When the platform must have accepted.
        last: When all must be over.
        patience: Seconds in which tokens may be probed, before `last`.
    """

    deadline: float
    last: float
    patience: float

    @property
    def probing_ends(self) -> float:
        return min(time.monotonic() + self.patience, self.last)


def _ask(job: RevocationJob, times: Times) -> Try:
    if timezone.now() >= end_of_life(job):
        return Try(job, JobState.ABANDONED)
    try:
        _send_and_verify(job, times)
    except SkippedError:
        return Try(job, JobState.SHARED_GRANT)
    except CannotSendError as error:
        is_well = True if isinstance(error, StillAliveError) else None
        return Try(job, JobState.PENDING, error, is_well)
    except PlatformError as error:
        is_asked = error.code != "not_asked"
        return Try(job, JobState.PENDING, error, not is_fault(error) if is_asked else None)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - an adapter's bug must not keep others waiting.
        _log_unforeseen(job, error)
        return Try(job, JobState.PENDING, CannotSendError("unforeseen"), is_well=False)
    return Try(job, JobState.REVOKED, is_well=True)


def _send_and_verify(job: RevocationJob, times: Times) -> None:
    """Revoke a job's tokens, and probe them, of which none must be good any more.

    Raises:
        StillAliveError: One is, so that all are sent again.
        PlatformError, CannotSendError, SkippedError: See `send`.
    """
    sent = send(job, deadline=times.deadline)
    job.verification = verify(job, sent, deadline=times.probing_ends)
    if job.verification == Verification.STILL_ALIVE:
        job.accepted_tokens = ""
        raise StillAliveError


def settle(tries: Sequence[Try], *, interface: Interface) -> list[str]:
    """Store what has become of jobs: those that end alike by one transaction.

    Returns:
        A state of JobState for each; "pending" too for one that somebody else has claimed since.
    """
    note_answers(tries)
    ended: set[UUID] = set()
    for state in ENDINGS:
        ended |= _finish([one.job for one in tries if one.state is state], state, interface)
    for one in tries:
        if one.error is not None:
            with tracing(one.job.trace_id):
                _put_off(one.job, one.error, interface=interface)
    return [one.state if one.job.pk in ended else JobState.PENDING for one in tries]


def note_answers(tries: Iterable[Try]) -> None:
    """Note for the platforms' circuits how they have answered, in this order."""
    asked = [one for one in tries if one.is_well is not None]
    in_order = sorted(asked, key=lambda one: one.job.platform)
    for (platform, is_well), alike in groupby(
        in_order, lambda one: (one.job.platform, one.is_well)
    ):
        if is_well:
            note_success(platform)
            continue
        for one in alike:
            note_fault(platform, retry_after=one.error.retry_after if one.error else None)


def _log_unforeseen(job: RevocationJob, error: Exception) -> None:
    """Log what it was and where, but not its text, which may hold a token."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    logger.error(
        "Unforeseen at %s: %s in %s, line %s: job %s",
        *(job.platform, type(error).__name__, where.filename, where.lineno, job.pk),
    )


def end_of_life(job: RevocationJob) -> datetime:
    return job.created_at + timedelta(seconds=settings.REVOCATION_GIVE_UP_SECONDS)


def verification_of(job: RevocationJob) -> dict[str, str]:
    """Return what the last look at the tokens has shown, for audit details and receipts."""
    return {"verification": job.verification} if job.verification else {}


ENDINGS = {
    JobState.REVOKED: (Action.TOKEN_REVOKED, Outcome.SUCCESS),
    JobState.SHARED_GRANT: (Action.TOKEN_REVOCATION_SKIPPED, Outcome.SUCCESS),
    JobState.ABANDONED: (Action.TOKEN_REVOCATION_ABANDONED, Outcome.FAILURE),
}


def _finish(
    jobs: Sequence[RevocationJob], state: JobState, interface: Interface
) -> frozenset[UUID]:
    """End those of some jobs that are still held under the lease by which they were claimed.

    Returns:
        Their ids.
    """
    if not jobs:
        return frozenset()
    with transaction.atomic():
        rows = RevocationJob.objects.filter(pk__in=[job.pk for job in jobs])
        locked = rows.select_for_update(no_key=True).order_by("pk")
        held = set(locked.values_list("pk", "lease"))
        owned = {job.pk: job for job in jobs if (job.pk, job.lease) in held}
        if owned:
            _end_by_verification(owned.values(), state)
            record_ends(owned.values(), state, interface=interface)
    return frozenset(owned)


def _end_by_verification(jobs: Collection[RevocationJob], state: JobState) -> None:
    """End jobs, those of which the same is known by one statement."""
    for verification in {job.verification for job in jobs}:
        alike = [job.pk for job in jobs if job.verification == verification]
        end(RevocationJob.objects.filter(pk__in=alike), state, verification=verification)


def end(rows: QuerySet[RevocationJob], state: JobState, **columns: str) -> int:
    """End jobs: their sealed tokens go in the same statement that says how they ended.

    Returns:
        How many; whoever ends some has them audited in the same transaction, by `record_ends`.
    """
    now = timezone.now()
    return rows.update(state=state, sealed_tokens=None, finished_at=now, **FREED, **columns)


def record_ends(jobs: Collection[RevocationJob], state: JobState, *, interface: Interface) -> None:
    action, outcome = ENDINGS[state]
    record_many(
        [_event(job, action, outcome, reason=state.value, interface=interface) for job in jobs]
    )
    if state is JobState.ABANDONED:
        for job in jobs:
            why = job.verification or job.last_error
            logger.error("Gave up revoking at %s: job %s, %s", job.platform, job.pk, why)


def _put_off(
    job: RevocationJob, error: PlatformError | CannotSendError, *, interface: Interface
) -> None:
    first = settings.REVOCATION_FIRST_RETRY_SECONDS
    if error.code == "not_asked":
        # No thread could wait for its platform: it is left to whoever comes next.
        job.give_back(attempts=F("attempts") - 1)
        return
    wait = backoff(job.attempts, first=first, longest=LONGEST_BACKOFF)
    wanted = timedelta(seconds=error.retry_after or 0)
    due_at = min(timezone.now() + max(wait, wanted), end_of_life(job))
    with transaction.atomic():
        known = {"accepted_tokens": job.accepted_tokens, "verification": job.verification}
        if job.give_back(due_at=due_at, last_error=error.code, **known):
            failed = Action.TOKEN_REVOCATION_FAILED
            record_many(
                [_event(job, failed, Outcome.FAILURE, reason=error.code, interface=interface)]
            )
    # invalid_client is our own misconfiguration (RFC 6749, section 5.2), so somebody must act.
    level = logging.ERROR if error.code == "invalid_client" else logging.WARNING
    logger.log(level, "Revoking at %s failed: job %s, %s", job.platform, job.pk, error.code)


def _event(
    job: RevocationJob, action: Action, outcome: Outcome, *, reason: str, interface: Interface
) -> Event:
    details = {"platform": job.platform, "attempts": job.attempts, "result": reason}
    return Event(
        action=action,
        origin=Origin(actor_type=ActorType.SYSTEM, actor_id=None, interface=interface),
        subject_type=f"{job.app}.connection",
        subject_id=job.connection_id,
        subject_owner_id=job.owner_id,
        outcome=outcome,
        details={**details, **verification_of(job)},
        trace_id=job.trace_id,
    )
