"""Connected channels, what is scheduled to be published through them, and what came of it.

The tables are those of the source document (Flow: Disconnect Channel).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from connections_project.connections.models import ERASED, OAuthConnection
from connections_project.connections.schema import connection_constraints, connection_indexes
from connections_project.core.ids import uuid7
from connections_project.core.jobs.models import LeasedJob
from connections_project.middleware.tracing import current_trace_id


class Status(models.TextChoices):
    """Where a connection stands (docs/api.md, "Channels"); `disconnected` is final.

    `expired`: refreshing no longer helps. `error`: the platform says that the access was taken
    back. Of both, the user has to connect again.
    """

    CONNECTED = "connected"
    EXPIRED = "expired"
    ERROR = "error"
    DISCONNECTED = "disconnected"


# In these a row has its account, and credentials that still have to be revoked.
LIVE = (Status.CONNECTED, Status.EXPIRED, Status.ERROR)


class ChannelConnectionQuerySet(models.QuerySet["ChannelConnection"]):
    def visible(self) -> "ChannelConnectionQuerySet":
        """Exclude what was soft-deleted."""
        return self.filter(deleted_at=None)

    def of_user(self, user_id: UUID) -> "ChannelConnectionQuerySet":
        return self.visible().filter(user_id=user_id).order_by("-created_at", "-id")


class ChannelConnection(OAuthConnection):
    """One user's account at one channel. Connecting it again after a disconnect makes a new row."""

    app = "channels"
    platform_column = "channel"
    owner_column = "user_id"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="channel_connections"
    )
    channel = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    # What the platform returned about the account (picture, limits), to save asking again.
    cached_data = models.JSONField(null=True)

    objects = ChannelConnectionQuerySet.as_manager()

    class Meta:
        db_table = "channel_connections"
        permissions = [("force_disconnect_channelconnection", "Can end channels by force")]
        indexes = [
            models.Index(
                fields=["user", "-created_at", "-id"],
                name="channel_connection_list",
                condition=Q(deleted_at=None),
            ),
            *connection_indexes("channel", "channel"),
        ]
        constraints = [
            *connection_constraints("channel", Status.values, live="connected"),
            models.CheckConstraint(
                name="channel_disconnected_holds_nothing",
                condition=~Q(status="disconnected")
                | Q(**ERASED, cached_data=None, disconnected_at__isnull=False),
            ),
            models.CheckConstraint(
                name="channel_disconnected_at_only_then",
                condition=Q(status="disconnected") | Q(disconnected_at=None),
            ),
            models.UniqueConstraint(
                name="channel_account_connected_once",
                fields=["user", "channel", "platform_account_id"],
                condition=Q(status__in=["connected", "expired", "error"]),
            ),
        ]

    def disconnected_columns(self, *, now: datetime) -> dict[str, Any]:
        return {**super().disconnected_columns(now=now), "cached_data": None}

    @classmethod
    def forget_texts(cls, rows: Sequence[Self]) -> None:
        posts = Schedule.objects.filter(channel_connection__in=rows, status__in=OVER)
        posts.update(content="", image_url=None, options={})
        published = PublishEvent.objects.filter(channel_connection__in=rows)
        published.update(platform_post_id=None, post_url=None)

    def deauthorized_columns(self, _now: datetime, /) -> dict[str, Any]:
        status = self.status if self.status == Status.DISCONNECTED else Status.ERROR
        return {"status": status, "cached_data": None}


class ScheduleStatus(models.TextChoices):
    """Where a schedule stands: `pending → queued → publishing → published | failed`.

    `queued`: a worker has claimed it. `publishing`: the post may be on its way, so that nobody can
    cancel it any more. Before that it may become `cancelled`.
    """

    PENDING = "pending"
    QUEUED = "queued"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


# These keep a channel from being disconnected, and can be cancelled.
ACTIVE = (ScheduleStatus.PENDING, ScheduleStatus.QUEUED)
# Nothing comes after these.
OVER = (ScheduleStatus.PUBLISHED, ScheduleStatus.FAILED, ScheduleStatus.CANCELLED)


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def active(self) -> "ScheduleQuerySet":
        return self.filter(status__in=ACTIVE)

    def of_user(self, user_id: UUID) -> "ScheduleQuerySet":
        return self.filter(user_id=user_id).order_by("-created_at", "-id")


class Schedule(LeasedJob):
    """A post that is to be published at a time.

    Whoever makes one active, or active again, holds the lock of its connection and has seen that
    this is not disconnected: so none is active once its connection is over.
    """

    channel_connection = models.ForeignKey(
        ChannelConnection, on_delete=models.PROTECT, related_name="schedules", db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="schedules",
        db_index=False,
    )
    content = models.TextField()
    image_url = models.CharField(max_length=2048, null=True)
    options = models.JSONField(default=dict, db_default={})
    run_at = models.DateTimeField()
    status = models.CharField(max_length=16, default=ScheduleStatus.PENDING)
    # When a worker may claim it: `run_at`, and later than that where a try has to be repeated.
    due_at = models.DateTimeField()
    # Since when the post may be out there: set before it is sent, and lifted by an answer that says
    # it was not accepted.
    unsure_since = models.DateTimeField(null=True)
    # That of the request that made it: what is done for it is found by the same.
    trace_id = models.CharField(max_length=32, default=current_trace_id)
    published_at = models.DateTimeField(null=True)
    # A copy of the connection's, by which each platform's posts are found. Empty where a process of
    # an earlier release made it, until it is due (`circuits.open_circuits`).
    channel = models.CharField(max_length=64, default="", db_default="")
    # Why it failed, as a word for programs such as `outcome_unknown`.
    failure_reason = models.CharField(max_length=64, null=True)
    cancelled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    # Whether its platform had failed lately when it was claimed, so that a success is news.
    has_faults = False

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        db_table = "schedules"
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="schedule_list"),
            models.Index(fields=["user", "status", "-created_at", "-id"], name="schedule_status"),
            models.Index(
                fields=["channel_connection", "-created_at", "-id"], name="schedule_connection"
            ),
            # What a disconnect looks at.
            models.Index(
                fields=["channel_connection", "id"],
                name="schedule_active",
                condition=Q(status__in=["pending", "queued"]),
            ),
            # What retention looks at.
            models.Index(fields=["updated_at"], name="schedule_over"),
            # What workers look at: what is due, and what a lost worker has left behind.
            models.Index(
                fields=["channel", "due_at", "id"],
                name="schedule_due_by_channel",
                condition=Q(status="pending"),
            ),
            # Of what was put off: what is over by its age.
            models.Index(
                fields=["channel", "run_at"],
                name="schedule_tried",
                condition=Q(status="pending", attempts__gt=0),
            ),
            models.Index(
                fields=["leased_until"],
                name="schedule_leased",
                condition=Q(leased_until__isnull=False),
            ),
            # The admin's list of one status.
            models.Index(fields=["status", "-id"], name="schedule_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                name="schedule_status_known", condition=Q(status__in=ScheduleStatus.values)
            ),
            models.CheckConstraint(
                name="schedule_leased_only_in_work",
                condition=Q(lease=None, leased_until=None)
                | Q(status__in=["queued", "publishing"], leased_until__isnull=False),
            ),
            models.CheckConstraint(
                name="schedule_published_at_only_then",
                condition=Q(status="published") | Q(published_at=None),
            ),
            models.CheckConstraint(
                name="schedule_failure_only_then",
                condition=Q(status="failed") | Q(failure_reason=None),
            ),
            models.CheckConstraint(
                name="schedule_cancelled_at_only_then",
                condition=Q(status="cancelled") | Q(cancelled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def lease_seconds(cls) -> float:
        return settings.PUBLISH_LEASE_SECONDS

    @classmethod
    def pending(cls) -> "ScheduleQuerySet":
        return cls.objects.filter(status=ScheduleStatus.PENDING)


class PublishOutcome(models.TextChoices):
    """What came of an attempt to publish."""

    PUBLISHED = "published"
    FAILED = "failed"


class PublishEvent(models.Model):
    """What a platform made of a post; it is kept whatever becomes of connection and schedule."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Null for a post that no schedule asked for.
    schedule = models.ForeignKey(
        Schedule, on_delete=models.PROTECT, null=True, related_name="publish_events"
    )
    channel_connection = models.ForeignKey(
        ChannelConnection, on_delete=models.PROTECT, related_name="publish_events", db_index=False
    )
    outcome = models.CharField(max_length=16)
    platform_post_id = models.CharField(max_length=255, null=True)
    post_url = models.CharField(max_length=2048, null=True)
    # Why it was not published, as a word for programs.
    error_code = models.CharField(max_length=64, null=True)
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "publish_events"
        indexes = [
            models.Index(
                fields=["channel_connection", "-occurred_at", "-id"], name="publish_event_list"
            ),
            models.Index(
                fields=["occurred_at"], name="publish_event_alone", condition=Q(schedule=None)
            ),
            models.Index(fields=["outcome", "-id"], name="publish_event_by_outcome"),
        ]
        constraints = [
            models.CheckConstraint(
                name="publish_event_outcome_known", condition=Q(outcome__in=PublishOutcome.values)
            ),
            models.CheckConstraint(
                name="publish_event_error_only_then",
                condition=Q(outcome="failed") | Q(error_code=None),
            ),
            models.UniqueConstraint(
                name="publish_event_published_once",
                fields=["schedule"],
                condition=Q(outcome="published"),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
