"""Whether a connection needs its owner: columns of the row, stored together with their cause."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Self

from django.db import models
from django.db.models import Q

# The longest time before a grant's known end at which its owner is told.
LONGEST_NOTICE = timedelta(days=7)


class AttentionReason(models.TextChoices):
    """Why a connection needs its owner.

    `platform_error`: the platform refuses to refresh it, and not because the grant is over.
    """

    GRANT_EXPIRED = "grant_expired"
    GRANT_REVOKED = "grant_revoked"
    PLATFORM_ERROR = "platform_error"
    GRANT_ENDING = "grant_ending"
    CONNECT_FAILED = "connect_failed"


# Called with a connection that has come to need its owner, and why.
Listener = Callable[[Any, str], object]
_listeners: list[Listener] = []


def listen_to_attention(listener: Listener) -> None:
    """Have a function called once per transition to needing the owner, in its transaction.

    Called in `AppConfig.ready`.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def tell_attention(connection: Any, reason: str) -> None:
    """Call the listeners; `events/announce.py` does, which sees each transition once."""
    for listener in _listeners:
        listener(connection, reason)


# The columns of a connection that needs nobody.
HEALTHY = MappingProxyType[str, Any](
    {"attention_reason": None, "attention_since": None, "ending_notice_at": None}
)


def attention_indexes(name: str) -> list[models.Index]:
    """Make the indexes that find connections in need of attention, and grants about to end."""
    return [
        models.Index(
            fields=["attention_reason", "-id"],
            name=f"{name}_by_attention",
            condition=Q(attention_reason__isnull=False),
        ),
        models.Index(
            fields=["ending_notice_at"],
            name=f"{name}_ending",
            condition=Q(ending_notice_at__isnull=False),
        ),
    ]


def attention_constraints(name: str) -> list[models.CheckConstraint]:
    """Make the constraints: a known reason with its time, and none once it is over."""
    none, since = Q(attention_reason=None), Q(attention_since=None)
    known = Q(attention_reason__in=AttentionReason.values, attention_since__isnull=False)
    return [
        models.CheckConstraint(condition=(none & since) | known, name=f"{name}_attention_known"),
        models.CheckConstraint(
            condition=~Q(status="disconnected") | none, name=f"{name}_attention_not_over"
        ),
    ]


class AttentionMixin(models.Model):
    """The columns that say whether a connection needs its owner, why, and since when."""

    attention_reason = models.CharField(max_length=16, null=True)
    attention_since = models.DateTimeField(null=True)
    # When its owner is to be told that the grant ends; null once that was done.
    ending_notice_at = models.DateTimeField(null=True)

    # The reason as it was read from the database, or returned by `attention_change` last.
    attention_before: str | None = None

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any
    ) -> Self:
        row = super().from_db(db, field_names, values, **more)
        row.attention_before = row.__dict__.get("attention_reason")
        return row

    def attention_columns(self, reason: str, *, now: datetime) -> dict[str, Any]:
        """Return the columns for a reason; one that the row has already keeps its time."""
        same = self.attention_reason == reason
        since = self.attention_since if same else now
        return {"attention_reason": reason, "attention_since": since, "ending_notice_at": None}

    def need_attention(self, reason: str, *, now: datetime) -> None:
        """Note that it needs its owner. The caller saves the row."""
        for column, value in self.attention_columns(reason, now=now).items():
            setattr(self, column, value)

    def be_healthy(self, *, renewed: bool, now: datetime) -> None:
        """Note that its tokens are good. The caller saves the row.

        Args:
            renewed: Whether the grant has a new end; if not, its end is not announced again.
        """
        if self.attention_reason == AttentionReason.GRANT_ENDING and not renewed:
            return
        self.attention_reason = self.attention_since = None
        self.ending_notice_at = self._notice_of_end(now if renewed else None, now=now)

    def _notice_of_end(self, begun: datetime | None, *, now: datetime) -> datetime | None:
        """Return 7 days before the grant's known end, or half its life if that is shorter."""
        ends: datetime | None = getattr(self, "grant_expires_at", None)
        if ends is None:
            return None
        life = ends - (begun or getattr(self, "connected_at", None) or now)
        return ends - min(LONGEST_NOTICE, life / 2)

    def attention_change(self) -> str | None:
        """Return the new reason, or "" where it needs nobody any more; None for no change.

        Each change is returned once: calling this again returns None.
        """
        current = self.__dict__.get("attention_reason")
        before, self.attention_before = self.attention_before, current
        return None if current == before else current or ""
