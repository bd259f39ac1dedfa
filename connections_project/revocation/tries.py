"""Ask a platform to revoke a job's tokens, and whether they are dead; store nothing of it."""

import logging
import time
import traceback
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from connections_project.core import clock
from connections_project.middleware.tracing import tracing
from connections_project.oauth.errors import PlatformError
from connections_project.revocation.circuits import OURS, is_failure
from connections_project.revocation.models import JobState, RevocationJob, Verification
from connections_project.revocation.send import CannotSendError, SkippedError, StillAliveError, send
from connections_project.revocation.verify import verify
from connections_project.revocation.waits import end_of_life

logger = logging.getLogger(__name__)

# For two tokens, each of which has 10 s (`oauth/revoking.py`).
ATTEMPT_SECONDS = 20.0
# What a try may take of its lease.
LEASE_SHARE = 0.9
# What probing may take: a token of which nothing is heard by then can't be verified.
LONGEST_PROBE = 5.0
LONGEST_INLINE_PROBE = 1.0


@dataclass(frozen=True)
class Try:
    """What a try has come to, before it is stored.

    Args:
        job: The job that was tried.
        state: How it ends; pending where it doesn't.
        is_well: What is known of the platform now; None if it was not asked.
    """

    job: RevocationJob
    state: JobState
    error: PlatformError | CannotSendError | None = None
    is_well: bool | None = None


def ask(job: RevocationJob, *, within: float | None = None) -> Try:
    """Ask the platform to revoke the tokens of a claimed job, and store nothing of it yet.

    Args:
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
    try:
        _send_and_verify(job, times)
    except SkippedError:
        return Try(job, JobState.SHARED_GRANT)
    except CannotSendError as error:
        is_well = True if isinstance(error, StillAliveError) else None
        return _failed(job, error, is_well)
    except PlatformError as error:
        if error.code == "not_asked":
            return Try(job, JobState.PENDING, error)
        return _failed(job, error, None if error.code in OURS else not is_failure(error))
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - an adapter's bug must not keep others waiting.
        _log_unforeseen(job, error)
        return _failed(job, CannotSendError("unforeseen"), is_well=False)
    return Try(job, JobState.REVOKED, is_well=True)


def _failed(
    job: RevocationJob, error: PlatformError | CannotSendError, is_well: bool | None
) -> Try:
    """Return what a try has come to that failed: the last one, if the job's time is over by now."""
    job.last_error = error.code
    is_last = clock.now() >= end_of_life(job)
    return Try(job, JobState.ABANDONED if is_last else JobState.PENDING, error, is_well)


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


def _log_unforeseen(job: RevocationJob, error: Exception) -> None:
    """Log what it was and where, but not its text, which may hold a token."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    logger.error(
        "Unforeseen at %s: %s in %s, line %s: job %s",
        *(job.platform, type(error).__name__, where.filename, where.lineno, job.pk),
    )
