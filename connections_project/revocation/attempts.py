"""Try a job once: revoke at the platform, then finish the job or put it off.

No transaction is open while the platform is asked. A try that is cut off leaves the job to whoever
comes when its lease has run out; telling a platform twice does no harm (RFC 7009, section 2.2).
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Event, Origin, record_many
from connections_project.core import clock
from connections_project.core.jobs.lease import FREED
from connections_project.middleware.tracing import tracing
from connections_project.oauth.errors import PlatformError
from connections_project.revocation.circuits import note_failure, note_success
from connections_project.revocation.claims import claim_one
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.send import CannotSendError
from connections_project.revocation.tries import Try, ask
from connections_project.revocation.waits import next_try

logger = logging.getLogger(__name__)


def attempt(job_id: UUID, *, within: float, interface: Interface) -> str | None:
    """Claim a job and try it once.

    Args:
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
        if one.error is not None and one.state is JobState.PENDING:
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
            note_failure(platform, retry_after=one.error.retry_after if one.error else None)


def verification_of(job: RevocationJob) -> dict[str, str]:
    """Return what the last look at the tokens has shown, for audit details and receipts."""
    return {"verification": job.verification} if job.verification else {}


ENDINGS = {
    JobState.REVOKED: (Action.TOKEN_REVOKED, Outcome.SUCCESS),
    JobState.SHARED_GRANT: (Action.TOKEN_REVOCATION_SKIPPED, Outcome.SUCCESS),
    JobState.ABANDONED: (Action.TOKEN_REVOCATION_ABANDONED, Outcome.FAILURE),
}

# What is told of the tokens themselves decides a receipt, so these are told apart.
OF_EXTRAS = {
    Action.TOKEN_REVOKED: Action.EXTRAS_REVOKED,
    Action.TOKEN_REVOCATION_FAILED: Action.EXTRAS_REVOCATION_FAILED,
    Action.TOKEN_REVOCATION_ABANDONED: Action.EXTRAS_REVOCATION_ABANDONED,
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
            _end_alike(owned.values(), state)
            if state is JobState.ABANDONED:
                record_many([_failure(job, interface) for job in owned.values()])
            record_ends(owned.values(), state, interface=interface)
    return frozenset(owned)


def _end_alike(jobs: Collection[RevocationJob], state: JobState) -> None:
    """End jobs, those of which the same is known by one statement."""
    alike = defaultdict[tuple[str, str], list[UUID]](list)
    for job in jobs:
        alike[job.verification, job.last_error].append(job.pk)
    for (verification, error), ids in alike.items():
        rows = RevocationJob.objects.filter(pk__in=ids)
        end(rows, state, verification=verification, last_error=error)


def end(rows: QuerySet[RevocationJob], state: JobState, **columns: str) -> int:
    """End jobs: their sealed tokens go in the same statement that says how they ended.

    Returns:
        How many; whoever ends some has them audited in the same transaction, by `record_ends`.
    """
    now = clock.now()
    return rows.update(state=state, sealed_tokens=None, finished_at=now, **FREED, **columns)


def record_ends(jobs: Collection[RevocationJob], state: JobState, *, interface: Interface) -> None:
    action, outcome = ENDINGS[state]
    record_many(
        [job_event(job, action, outcome, _system(interface), result=state.value) for job in jobs]
    )
    if state is JobState.ABANDONED:
        for job in jobs:
            why = job.verification or job.last_error
            logger.error("Gave up revoking at %s: job %s, %s", job.platform, job.pk, why)


def _put_off(
    job: RevocationJob, error: PlatformError | CannotSendError, *, interface: Interface
) -> None:
    if error.code == "not_asked":
        # No thread could wait for its platform: it is left to whoever comes next.
        job.give_back(attempts=F("attempts") - 1)
        return
    due_at = next_try(job, retry_after=error.retry_after)
    with transaction.atomic():
        known = {"accepted_tokens": job.accepted_tokens, "verification": job.verification}
        if job.give_back(due_at=due_at, last_error=error.code, **known):
            job.last_error = error.code
            record_many([_failure(job, interface)])
    # invalid_client is our own misconfiguration (RFC 6749, section 5.2), so somebody must act.
    level = logging.ERROR if error.code == "invalid_client" else logging.WARNING
    logger.log(level, "Revoking at %s failed: job %s, %s", job.platform, job.pk, error.code)


def _failure(job: RevocationJob, interface: Interface) -> Event:
    """Return the audit event of a try that has failed."""
    failed = (Action.TOKEN_REVOCATION_FAILED, Outcome.FAILURE)
    return job_event(job, *failed, _system(interface), result=job.last_error)


def _system(interface: Interface) -> Origin:
    return Origin(ActorType.SYSTEM, None, interface)


def job_event(
    job: RevocationJob,
    action: Action,
    outcome: Outcome,
    origin: Origin,
    /,
    *,
    reason: str = "",
    **more: str,
) -> Event:
    """Return the audit event of what became of a job, or was done to it.

    Args:
        action: What, as it is called of tokens.
    """
    details: dict[str, Any] = {
        "platform": job.platform,
        "attempts": job.attempts,
        "requested_at": job.created_at.isoformat(),
    }
    if job.replaced_or_late:
        details["replaced_or_late"] = True
    return Event(
        action=OF_EXTRAS.get(action, action) if job.extras_only else action,
        origin=origin,
        subject_type=f"{job.app}.connection",
        subject_id=job.connection_id,
        subject_owner_id=job.owner_id,
        outcome=outcome,
        reason=reason,
        details={**details, **more, **verification_of(job)},
        trace_id=job.trace_id or None,
    )
