"""What the host application is told, where, and how far that has come."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.core.jobs.circuit import CircuitBreaker
from connections_project.core.jobs.models import LeasedJob
from connections_project.core.vault import SealedField
from connections_project.events.types import EventType


class Endpoint(CircuitBreaker):
    """An address of the host application, with its secrets and the state of its circuit.

    Its row is also the lock under which its deliveries are claimed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    url = models.CharField(max_length=2048)
    # Of these types alone, comma-separated; empty for all.
    types = models.TextField(default="", blank=True)
    sealed_secret = SealedField()
    # Signs beside the new one while receivers change over.
    sealed_old_secret = SealedField(null=True)
    old_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=512, default="", blank=True)
    last_success_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "event endpoint"
        constraints = [
            models.CheckConstraint(
                name="event_endpoint_old_secret_ends",
                condition=Q(sealed_old_secret=None, old_secret_until=None)
                | Q(sealed_old_secret__isnull=False, old_secret_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def vault_subject(self) -> str:
        return f"event_endpoint:{self.pk}"

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None

    @property
    def two_sign_until(self) -> datetime | None:
        """When the secret of before ends that still signs beside the present one, if one does."""
        until: datetime | None = self.old_secret_until
        return until if until is not None and clock.now() < until else None


class OutgoingEvent(models.Model):
    """Something that happened, in the words in which it is told; written in its transaction.

    `sequence` is microseconds by the database's clock, and rises over a connection's life: whoever
    writes an event of a connection holds its row's lock.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sequence = models.BigIntegerField()
    type = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    # No foreign key: an event outlives its subject.
    connection_id = models.UUIDField(null=True)
    platform = models.CharField(max_length=64, default="")
    # The members of `data`, as JSON text, so that each delivery has the same bytes.
    data = models.TextField()

    class Meta:
        verbose_name = "event"
        permissions = [("read_events", "Can read the feed of events")]
        indexes = [
            models.Index(fields=["sequence", "id"], name="event_in_order"),
            models.Index(fields=["type", "sequence"], name="event_by_type"),
            models.Index(fields=["connection_id", "sequence"], name="event_by_connection"),
        ]
        constraints = [
            models.CheckConstraint(name="event_type_known", condition=Q(type__in=EventType.values))
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"

    def delivery_to(self, endpoint_id: UUID, *, at: datetime) -> "Delivery":
        """Return a new delivery to an endpoint, due at once."""
        return Delivery(
            endpoint_id=endpoint_id,
            event=self,
            connection_id=self.connection_id,
            sequence=self.sequence,
            due_at=at,
            begun_at=at,
        )


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Delivery(LeasedJob):
    """That one endpoint is to be told of one event.

    Of a connection the earlier ones go first: a later one is claimed once none before it is
    pending.
    """

    # The unique constraint below begins with each of these keys, or an index does.
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(
        OutgoingEvent, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    # Copies of the event's, by which the order is found.
    connection_id = models.UUIDField(null=True)
    sequence = models.BigIntegerField()
    state = models.CharField(max_length=16, default=DeliveryState.PENDING)
    # Of the last try: what was answered, or what kept it from being answered.
    status_code = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=64, default="")
    tried_at = models.DateTimeField(null=True)
    # From here on the time runs after which it is given up.
    begun_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["endpoint", "due_at", "sequence"],
                name="event_delivery_due",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["endpoint", "connection_id", "sequence"],
                name="event_delivery_order",
                condition=Q(state="pending"),
            ),
            models.Index(fields=["endpoint", "-id"], name="event_delivery_by_endpoint"),
            models.Index(fields=["state", "-id"], name="event_delivery_by_state"),
            # How an endpoint is doing.
            models.Index(
                fields=["endpoint", "begun_at"],
                name="event_delivery_waiting",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["endpoint", "tried_at"],
                name="event_delivery_tried",
                condition=Q(tried_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="event_delivery_once", fields=["event", "endpoint"]),
            models.CheckConstraint(
                name="event_delivery_state_known", condition=Q(state__in=DeliveryState.values)
            ),
            models.CheckConstraint(
                name="event_delivery_finished_unless_pending",
                condition=Q(state="pending", finished_at=None)
                | (~Q(state="pending") & Q(finished_at__isnull=False, lease=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"

    @property
    def was_refused(self) -> bool:
        """Whether it was tried in vain since it was due for the first time, or once more."""
        return self.attempts > 0 and bool(self.last_error)

    @classmethod
    def lease_seconds(cls) -> float:
        return settings.EVENT_LEASE_SECONDS

    @classmethod
    def pending(cls) -> models.QuerySet[Self]:
        return super().pending().filter(state=DeliveryState.PENDING)

    @classmethod
    def claimable(cls, due_by: datetime) -> models.QuerySet[Self]:
        """Return what may be claimed: the first pending one of each connection."""
        of_connection = cls.pending().filter(
            endpoint=OuterRef("endpoint"), connection_id=OuterRef("connection_id")
        )
        # By order, which `in_index_order` has found by the index whatever the planner knows.
        first = of_connection.order_by("sequence").values("sequence")[:1]
        is_next = Q(connection_id=None) | Q(sequence=Subquery(first))
        return super().claimable(due_by).filter(is_next).order_by("due_at", "sequence")
