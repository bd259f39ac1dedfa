"""Forced disconnects in the background: store a selection's ids, start what is confirmed."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, QuerySet

from audit.record import Origin
from connections_project.connections.registry import Rows, Selection, connection_type
from connections_project.core import clock, retention
from connections_project.core.dispatch import enqueue
from connections_project.core.inline import INLINE_SECONDS
from connections_project.middleware.tracing import current_trace_id
from connections_project.operations.bulk_worker import process_bulk_jobs
from connections_project.operations.models import BulkItem, BulkJob, BulkState
from connections_project.operations.options import DisconnectOptions

KEPT_UNCONFIRMED = timedelta(days=1)
KEPT_ITEMS = timedelta(days=30)
_WRITTEN_AT_ONCE = 5000


class AlreadyStartedError(Exception):
    """A stored selection is confirmed once."""


def store_selection(app: str, selection: Selection, *, origin: Origin) -> BulkJob:
    """Store a snapshot of a selection as a job that is to be confirmed.

    The job does nothing before `start`; one that nobody starts within a day is swept away.

    Args:
        selection: Connections of that app, or their ids. Of connections those that are over are
            left out, but not social accounts whose tokens were kept: they can still be erased.
        origin: Who asks, and whose permission is looked at again before each batch.
    """
    if origin.actor_id is None:
        raise ValueError("A bulk job needs somebody whose permission can be looked at.")
    now = clock.now()
    with transaction.atomic():
        job = BulkJob.objects.create(
            app=app,
            created_at=now,
            due_at=now,
            requested_by=origin.actor_id,
            interface=origin.interface,
            client_address=origin.client_address,
            trace_id=current_trace_id(),
        )
        if isinstance(selection, QuerySet):
            _copy_ids(job, connection_type(app).unfinished(selection, erase_tokens=True))
        else:
            _store_ids(job, selection)
        job.total = job.items.count()
        job.save(update_fields=["total"])
    return job


def _store_ids(job: BulkJob, ids: Iterable[UUID]) -> None:
    items = (BulkItem(job=job, connection_id=one) for one in sorted(set(ids)))
    BulkItem.objects.bulk_create(items, batch_size=_WRITTEN_AT_ONCE)


def _copy_ids(job: BulkJob, rows: Rows) -> None:
    """Copy the ids within the database, however many there are."""
    quote = connection.ops.quote_name
    # A selection through joins may name a row twice.
    once = rows.model._default_manager.filter(pk__in=rows.values("pk"))
    keys = once.order_by("pk").values(chosen_id=F("pk"))
    try:
        selected, parameters = keys.query.sql_with_params()
    except EmptyResultSet:
        return
    stored = BulkJob._meta.pk.get_db_prep_value(job.pk, connection)
    columns = ("job_id", "connection_id", "state", "cause", "detail")
    # Names and the ORM's own statement; every value is a parameter.
    sql = (
        f"INSERT INTO {quote(BulkItem._meta.db_table)} ({', '.join(map(quote, columns))})"  # noqa: S608
        f" SELECT %s, chosen.chosen_id, 'pending', '', '' FROM ({selected}) AS chosen"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [stored, *parameters])


def start(job: BulkJob, options: DisconnectOptions) -> BulkJob:
    """Start a stored job: workers disconnect its connections; without a broker `run_background`.

    In the latter case the caller's own process does so for the first 5 s after its commit.

    Raises:
        AlreadyStartedError: Somebody has confirmed it before.
    """
    with transaction.atomic():
        confirmed = BulkJob.objects.filter(pk=job.pk, state=BulkState.UNCONFIRMED).update(
            state=BulkState.QUEUED,
            reason=options.reason,
            revoke=options.revoke,
            cancel_schedules=options.cancel_schedules,
            erase_tokens=options.erase_tokens,
        )
        if not confirmed:
            raise AlreadyStartedError
        enqueue(process_bulk_jobs, inline=partial(process_bulk_jobs, within=INLINE_SECONDS))
    job.refresh_from_db()
    return job


def sweep_bulk_jobs() -> None:
    """Forget what nobody confirmed, the single ids of what was done long ago, and at last all."""
    now = clock.now()
    abandoned = BulkJob.objects.filter(
        state=BulkState.UNCONFIRMED, created_at__lt=now - KEPT_UNCONFIRMED
    )
    with transaction.atomic():
        # Locked, so that nobody confirms one while its items go, which takes a while.
        keys = list(abandoned.select_for_update(skip_locked=True).values_list("pk", flat=True))
        BulkJob.objects.filter(pk__in=keys).delete()
    old = BulkJob.objects.filter(finished_at__lt=now - KEPT_ITEMS)
    BulkItem.objects.filter(job__in=old.values("pk")).delete()
    if limit := retention.expiry(settings.JOB_RETENTION_DAYS):
        BulkJob.objects.filter(finished_at__lt=limit).delete()
