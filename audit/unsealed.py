"""Find the events that no seal has, by statements that stay small however long the log is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from audit.horizon import CLOCKS_MAY_DIFFER_BY
from audit.models import PLAUSIBLE_TIME, AuditEvent, Seal, SealedEvent
from connections_project.core.ids import first_uuid7

WINDOW = 50_000


@dataclass(frozen=True)
class Window:
    """A stretch of the log by identifiers, without its beginning; None: open at that end."""

    after: UUID | None
    until: UUID | None

    def of(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Return those that lie in the stretch, in order."""
        return events.filter(**self._bounds("pk")).order_by("pk")

    def unsealed(self) -> QuerySet[AuditEvent]:
        """Return the stretch's events without a seal, in order.

        The same bounds on both sides let the database compare two stretches of two indexes.
        """
        sealed = SealedEvent.objects.filter(**self._bounds("event_id"), event_id=OuterRef("pk"))
        return self.of(AuditEvent.objects.filter(~Exists(sealed)))

    def _bounds(self, column: str) -> dict[str, Any]:
        bounds = {f"{column}__gt": self.after, f"{column}__lte": self.until}
        return {name: one for name, one in bounds.items() if one is not None}


def windows(after: UUID | None = None, *, size: int | None = None) -> Iterator[Window]:
    """Divide the log into stretches, of which the last one is open.

    Args:
        after: Only what comes after this identifier; None for all.
        size: How many events a stretch has; None for `WINDOW`.
    """
    number = size or WINDOW
    while True:
        ids = AuditEvent.objects.order_by("pk").values_list("pk", flat=True)
        rest = ids.filter(pk__gt=after) if after else ids
        end = rest[number - 1 : number].first()
        yield Window(after, end)
        if end is None:
            return
        after = end


def oldest_unsealed() -> datetime | None:
    """Return the time of the oldest recent event without a seal; None where there is none.

    By an index and in no time: what came late, from before the last seal, is not looked for.
    """
    last = Seal.objects.order_by("-number").first()
    after = first_uuid7(last.complete_until - CLOCKS_MAY_DIFFER_BY) if last else None
    waiting = Window(after, None).unsealed().filter(PLAUSIBLE_TIME)
    return waiting.values_list("occurred_at", flat=True).first()
