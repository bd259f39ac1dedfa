"""Forced disconnects too large for a request: the ids that were confirmed, and progress."""

import logging
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from connections_project.core import clock
from connections_project.core.jobs.backoff import backoff
from connections_project.core.jobs.models import LeasedJob
from connections_project.identity.models import User
from connections_project.operations.options import DisconnectOptions

logger = logging.getLogger(__name__)


class BulkState(models.TextChoices):
    # The ids are stored so that they can be shown; nobody has confirmed them yet. The stored word
    # is an older one.
    UNCONFIRMED = "frozen"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    # The one who asked for it has lost the permission on the way; the rest was left alone.
    REFUSED = "refused"


# An operator is watching.
LONGEST_WAIT = timedelta(minutes=5)
UNFINISHED = (BulkState.QUEUED, BulkState.RUNNING)


class BulkJob(LeasedJob):
    """A forced disconnect of a snapshot of ids, processed in batches by workers.

    `processed` counts every item that was dealt with, so also the `passed_over` and the `failed`.
    """

    app = models.CharField(max_length=32)
    state = models.CharField(max_length=16, default=BulkState.UNCONFIRMED)
    reason = models.CharField(max_length=512, default="")
    revoke = models.BooleanField(default=True)
    cancel_schedules = models.BooleanField(default=False)
    erase_tokens = models.BooleanField(default=False)
    # Who asked, through which interface and from where: the origin of every event that follows.
    requested_by = models.UUIDField()
    interface = models.CharField(max_length=16)
    client_address = models.GenericIPAddressField(null=True)
    trace_id = models.CharField(max_length=64)
    total = models.PositiveIntegerField(default=0)
    processed = models.PositiveIntegerField(default=0)
    passed_over = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    revocations = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="bulk_job_unfinished",
                condition=Q(state__in=["queued", "running"]),
            ),
            models.Index(
                fields=["created_at"], name="bulk_job_frozen", condition=Q(state="frozen")
            ),
            models.Index(
                fields=["finished_at"],
                name="bulk_job_finished",
                condition=Q(finished_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="bulk_job_state_known", condition=Q(state__in=BulkState.values)
            ),
            models.CheckConstraint(
                name="bulk_job_has_a_reason", condition=Q(state="frozen") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.state} {self.id}"

    @classmethod
    def lease_seconds(cls) -> float:
        return 60.0

    @classmethod
    def pending(cls) -> models.QuerySet[Self]:
        return super().pending().filter(state__in=UNFINISHED)

    def put_off(self) -> None:
        """Let others go first for a while; it is never given up."""
        wait = backoff(self.attempts, first=self.FIRST_RETRY_SECONDS, longest=LONGEST_WAIT)
        self.give_back(due_at=clock.now() + wait)

    @property
    def options(self) -> DisconnectOptions:
        return DisconnectOptions(self.reason, self.revoke, self.cancel_schedules, self.erase_tokens)

    @property
    def disconnected(self) -> int:
        return self.processed - self.passed_over - self.failed

    @property
    def is_over(self) -> bool:
        return self.state in {BulkState.FINISHED, BulkState.REFUSED}


class ItemState(models.TextChoices):
    PENDING = "pending"
    DONE = "done"
    PASSED_OVER = "passed_over"
    FAILED = "failed"


class BulkItem(models.Model):
    """One id of the snapshot, and its result, stored in the same commit as its connection."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="items", db_index=False)
    connection_id = models.UUIDField()
    state = models.CharField(max_length=16, default=ItemState.PENDING)
    cause = models.CharField(max_length=64, default="")
    detail = models.CharField(max_length=255, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["job", "connection_id"],
                name="bulk_item_pending",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["job", "connection_id"],
                name="bulk_item_failed",
                condition=Q(state="failed"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="bulk_item_once", fields=["job", "connection_id"]),
            models.CheckConstraint(
                name="bulk_item_state_known", condition=Q(state__in=ItemState.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.state}"


class OffboardingJob(LeasedJob):
    """That the connections of somebody whose access has ended are to be ended; gone when they are.

    A worker that dies is followed by the next within the lease, which each batch renews: leavers
    are to be out within a minute, whatever dies.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=512)
    forget = models.BooleanField(default=False)
    # Who said so, through which interface and from where: the origin of every event that follows.
    actor_type = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    interface = models.CharField(max_length=16)
    client_address = models.GenericIPAddressField(null=True)
    trace_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["due_at", "id"], name="offboarding_job_due")]
        constraints = [
            models.CheckConstraint(name="offboarding_has_a_reason", condition=~Q(reason=""))
        ]

    def __str__(self) -> str:
        return str(self.id)

    @classmethod
    def lease_seconds(cls) -> float:
        return 5.0

    def give_up(self, error: Exception | None) -> None:
        """Go on trying once an hour: what a leaver had is never left alone."""
        logger.error("Offboarding job %s has failed often: %s", self.pk, type(error).__name__)
        # One try short of what none is made after.
        attempts = self.MAX_ATTEMPTS - 1
        self.give_back(due_at=clock.now() + self.LONGEST_RETRY, attempts=attempts)
