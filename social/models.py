"""Teams' accounts at social platforms, and the answers that repeated publishing calls get."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.expressions import Combinable

from connections_project.connections.models import OAuthConnection
from connections_project.connections.schema import connection_constraints, connection_indexes
from connections_project.core.ids import uuid7
from connections_project.identity.models import Team


class Status(models.TextChoices):
    """What the team wants and how the grant stands; `is_active` is true of `active` alone.

    `expired`, `revoked`: the platform no longer honours the grant, so the team has to connect
    again. `disconnected`: the team has ended it, until it connects that account again.
    """

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    DISCONNECTED = "disconnected"


class SocialAccountQuerySet(models.QuerySet["SocialAccount"]):
    def of_team(self, team_id: UUID) -> "SocialAccountQuerySet":
        return self.filter(team_id=team_id).order_by("-created_at", "-id")

    def usable(self) -> "SocialAccountQuerySet":
        """Exclude those whose tokens may not be used: disconnected ones keep theirs unused."""
        return self.filter(status=Status.ACTIVE)

    def kept_too_long(self, *, now: datetime) -> "SocialAccountQuerySet":
        """Find disconnected ones whose tokens were kept as long as the operator allows."""
        limit = now - timedelta(days=settings.SOCIAL_TOKEN_RETENTION_DAYS)
        return self.filter(
            status=Status.DISCONNECTED, auth_state__isnull=False, disconnected_at__lte=limit
        )


class SocialAccount(OAuthConnection):
    """One team's account at one platform. Connecting it again brings the same record back.

    A disconnect keeps the tokens, sealed and unused, for `SOCIAL_TOKEN_RETENTION_DAYS`.
    """

    app = "social"
    platform_column = "platform"
    owner_column = "team_id"
    keeps_tokens = True

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="social_accounts")
    platform = models.CharField(max_length=64)
    status = models.CharField(max_length=16, default=Status.ACTIVE)
    is_active = models.BooleanField(default=True)
    # Accounts whose tokens are one and the same set share this: they are refreshed together, and
    # revoking the tokens of one would end the others. Null where an account has tokens of its own.
    token_set = models.UUIDField(null=True)

    objects = SocialAccountQuerySet.as_manager()

    class Meta:
        db_table = "social_accounts"
        permissions = [
            ("force_disconnect_socialaccount", "Can disconnect social accounts by force")
        ]
        indexes = [
            models.Index(fields=["team", "-created_at", "-id"], name="social_account_list"),
            *connection_indexes("social", "platform"),
            models.Index(
                fields=["token_set"], name="social_token_set", condition=Q(token_set__isnull=False)
            ),
            models.Index(
                fields=["disconnected_at"],
                name="social_kept_tokens",
                condition=Q(status="disconnected", auth_state__isnull=False),
            ),
        ]
        constraints = [
            *connection_constraints("social", Status.values, live="active"),
            models.CheckConstraint(
                name="social_disconnected_is_inactive",
                condition=Q(status="disconnected", is_active=False, disconnected_at__isnull=False)
                | (~Q(status="disconnected") & Q(disconnected_at=None)),
            ),
            models.CheckConstraint(
                name="social_active_is_active",
                condition=Q(status="active", is_active=True)
                | (~Q(status="active") & Q(is_active=False)),
            ),
            models.CheckConstraint(
                name="social_account_is_known", condition=Q(platform_account_id__isnull=False)
            ),
            models.UniqueConstraint(
                name="social_account_once", fields=["team", "platform", "platform_account_id"]
            ),
        ]

    @property
    def is_disconnected(self) -> bool:
        """Whether the team has ended it; one whose grant is dead is merely inactive."""
        return self.status == Status.DISCONNECTED

    @property
    def shown_status(self) -> str:
        return Status.DISCONNECTED.value if self.is_disconnected else Status.ACTIVE.value

    @classmethod
    def shown_status_expression(cls) -> Combinable:
        ended = When(status=Status.DISCONNECTED, then=Value(Status.DISCONNECTED.value))
        return Case(ended, default=Value(Status.ACTIVE.value))

    def lose_grant(self, status: str) -> None:
        super().lose_grant(status)
        self.is_active = False

    def disconnected_columns(self, *, now: datetime) -> dict[str, Any]:
        return {**super().disconnected_columns(now=now), "is_active": False}

    def deauthorized_columns(self, now: datetime, /) -> dict[str, Any]:
        return {} if self.is_disconnected else self.disconnected_columns(now=now)

    def anonymous_columns(self) -> dict[str, Any]:
        """Return them with another account id, which identifies the team's record."""
        return {**super().anonymous_columns(), "platform_account_id": f"erased:{self.pk}"}

    def activate(self) -> None:
        """Activate it, once it has fresh tokens. The caller saves."""
        self.status = Status.ACTIVE
        self.is_active = True
        self.disconnected_at = None


class PublicationState(models.TextChoices):
    """`sending` until the platform has answered; one that stays so was broken off by a crash."""

    SENDING = "sending"
    PUBLISHED = "published"
    FAILED = "failed"
    # The platform may have it, or not: its answer never came.
    UNKNOWN = "unknown"


class Publication(models.Model):
    """One call to publish under an `Idempotency-Key`, and what came of it.

    The row is there right before the post is sent, so that a key that comes again never posts
    again: it gets the first answer, or an error that the first call is under way or was cut off.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The constraint below is the index of this key.
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=16, default=PublicationState.SENDING)
    post_id = models.CharField(max_length=255, default="")
    post_url = models.CharField(max_length=2048, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "social_publications"
        indexes = [models.Index(fields=["created_at"], name="social_publication_age")]
        constraints = [
            models.UniqueConstraint(
                name="social_publication_once", fields=["team", "idempotency_key"]
            ),
            models.CheckConstraint(
                name="social_publication_state_known",
                condition=Q(state__in=PublicationState.values),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
