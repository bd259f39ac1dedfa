"""Offboarding in the background: access ends at once, and a job ends the connections.

For whoever may not wait, such as SCIM and security events; commands and the admin, which show what
becomes of it, call `offboarding` themselves. Both are the same steps.
"""

from functools import partial

from django.db import transaction

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.core import clock
from connections_project.core.dispatch import notify_workers
from connections_project.core.jobs.lease import lease_end
from connections_project.core.jobs.queue import process_jobs
from connections_project.identity.models import User
from connections_project.middleware.tracing import current_trace_id, tracing
from connections_project.operations import offboarding
from connections_project.operations.models import OffboardingJob
from connections_project.operations.options import DisconnectOptions, Result


class UnfinishedError(Exception):
    """Some connections could not be ended; the job is tried again."""


class LostLeaseError(Exception):
    """Somebody else has taken the job over, because its lease had run out."""


def begin_offboarding(
    user: User, *, reason: str, origin: Origin, forget: bool = False
) -> OffboardingJob:
    """End a user's access now, and have workers end the connections; `run_background` without any.

    It may be called in a transaction, with which all of it is committed or undone. It takes as
    long for ten thousand connections as for one.

    Args:
        reason: Why, 1 to 512 characters.
        forget: Whether the person is forgotten too: who it was with the commit, the names of the
            accounts once the connections are over.

    Raises:
        InvalidReasonError: The reason is empty, too long, or holds a NUL. Nothing was done.
    """
    options = offboarding.leaving_options(reason, forget=forget)
    with transaction.atomic():
        offboarding.end_access(user, reason=options.reason, origin=origin)
        if forget:
            offboarding.forget_identity(user, reason=options.reason, origin=origin)
        return _enqueue(user, options, origin, forget=forget)


def begin_ending_connections(user: User, *, reason: str, origin: Origin) -> OffboardingJob:
    """Have workers end the connections that a user has now; the user may come in as before.

    Raises:
        InvalidReasonError: See `begin_offboarding`.
    """
    options = offboarding.leaving_options(reason, forget=False)
    with transaction.atomic():
        return _enqueue(user, options, origin, forget=False)


def _enqueue(
    user: User, options: DisconnectOptions, origin: Origin, *, forget: bool
) -> OffboardingJob:
    now = clock.now()
    job = OffboardingJob.objects.create(
        user=user,
        created_at=now,
        due_at=now,
        reason=options.reason,
        forget=forget,
        actor_type=origin.actor_type,
        actor_id=origin.actor_id,
        interface=origin.interface,
        client_address=origin.client_address,
        trace_id=current_trace_id(),
    )
    notify_workers(process_offboardings)
    return job


def _process(job: OffboardingJob) -> None:
    actor_type, interface = ActorType(job.actor_type), Interface(job.interface)
    with tracing(job.trace_id):
        result = offboarding.end_connections(
            job.user,
            offboarding.leaving_options(job.reason, forget=job.forget),
            origin=Origin(actor_type, job.actor_id, interface, job.client_address),
            details={"offboarding_job": str(job.pk)},
            connected_until=job.created_at,
            on_batch=partial(_extend_lease, job),
        )
        if result.failures:
            raise UnfinishedError


def _extend_lease(job: OffboardingJob, _batch: Result) -> None:
    """Extend the lease for another batch.

    Raises:
        LostLeaseError: It has run out, and somebody else goes on.
    """
    if not job.owned().update(leased_until=lease_end(job.lease_seconds())):
        raise LostLeaseError


process_offboardings = process_jobs(OffboardingJob, _process, threads=2)
