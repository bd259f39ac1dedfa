"""Connections to financial providers, and what was read through them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from connections_project.connections.models import ERASED, OAuthConnection
from connections_project.connections.schema import connection_constraints, connection_indexes
from connections_project.core import clock
from connections_project.core.ids import uuid7
from providers.fields import MoneyField

REAUTHENTICATION_NOTICE = timedelta(hours=24)
LISTED = (
    *("provider_slug", "alias", "status", "connected_at", "last_sync_at"),
    *("grant_expires_at", "created_at", "updated_at"),
)


class Status(models.TextChoices):
    """Where a connection stands (docs/api.md, "Providers"); `disconnected` is final."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FAILED = "failed"
    DISCONNECTED = "disconnected"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible(self) -> "ConnectionQuerySet":
        """Exclude what its owner has deleted from sight."""
        return self.filter(deleted_at=None)

    def of_user(self, user_id: UUID) -> "ConnectionQuerySet":
        return self.visible().filter(user_id=user_id).order_by("-created_at", "-id")

    def listed(self) -> "ConnectionQuerySet":
        """Read what a list shows, and no ciphertexts: they are most of a row."""
        return self.only(*LISTED)

    def left_pending(self, *, now: datetime) -> "ConnectionQuerySet":
        """Find those whose callback never came to an end: its process must have died."""
        limit = now - timedelta(seconds=settings.PENDING_CONNECTION_SECONDS)
        return self.filter(status=Status.PENDING, created_at__lt=limit)


class Connection(OAuthConnection):
    """One user's account at one financial provider."""

    app = "providers"
    platform_column = "provider_slug"
    owner_column = "user_id"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="provider_connections"
    )
    provider_slug = models.CharField(max_length=64)
    alias = models.CharField(max_length=100, null=True)
    status = models.CharField(max_length=16, default=Status.PENDING)
    last_sync_at = models.DateTimeField(null=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = "provider connection"
        permissions = [("force_disconnect_connection", "Can end connections by force")]
        indexes = [
            models.Index(
                fields=["user", "-created_at", "-id"],
                name="provider_connection_list",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                fields=["created_at"],
                name="provider_connection_pending",
                condition=Q(status="pending"),
            ),
            *connection_indexes("provider", "provider_slug"),
        ]
        constraints = [
            *connection_constraints("provider", Status.values, live="active"),
            models.CheckConstraint(
                name="provider_disconnected_holds_nothing",
                condition=~Q(status="disconnected") | Q(**ERASED, disconnected_at__isnull=False),
            ),
            models.CheckConstraint(
                name="provider_disconnected_at_only_then",
                condition=Q(status="disconnected") | Q(disconnected_at=None),
            ),
            models.UniqueConstraint(
                name="provider_account_connected_once",
                fields=["user", "provider_slug", "platform_account_id"],
                condition=Q(status__in=["active", "expired", "revoked"]),
            ),
        ]

    @property
    def is_connected(self) -> bool:
        return self.status == Status.ACTIVE

    @property
    def needs_reauthentication(self) -> bool:
        if self.status in {Status.EXPIRED, Status.REVOKED, Status.FAILED}:
            return True
        ends_soon = (
            self.grant_expires_at is not None
            and self.grant_expires_at - clock.now() <= REAUTHENTICATION_NOTICE
        )
        return self.status == Status.ACTIVE and ends_soon

    def anonymous_columns(self) -> dict[str, Any]:
        return {**super().anonymous_columns(), "alias": None}

    def deauthorized_columns(self, _now: datetime, /) -> dict[str, Any]:
        return {} if self.status == Status.DISCONNECTED else {"status": Status.REVOKED}


class Account(models.Model):
    """An account at a provider, as it was last read; it outlives its connection."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="accounts")
    platform_account_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, default="")
    type = models.CharField(max_length=64, default="")
    currency = models.CharField(max_length=16, default="")
    balance = MoneyField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="provider_account_once", fields=["connection", "platform_account_id"]
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Transaction(models.Model):
    """A movement on an account. Providers don't change one that is posted, but may correct it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="transactions")
    platform_transaction_id = models.CharField(max_length=255)
    posted_at = models.DateTimeField()
    amount = MoneyField()
    currency = models.CharField(max_length=16, default="")
    description = models.CharField(max_length=512, default="")

    class Meta:
        indexes = [
            models.Index(fields=["account", "-posted_at", "-id"], name="provider_transaction_list")
        ]
        constraints = [
            models.UniqueConstraint(
                name="provider_transaction_once", fields=["account", "platform_transaction_id"]
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
