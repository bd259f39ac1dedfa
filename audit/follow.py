"""Follow the audit log as it is sealed: every event once in a reading, and none is passed over.

Seals are committed one after the other, and each event stands in one of them. So the place of the
last event that a reader has is all that has to be known, whatever commits late.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from audit.canonical import event_as_json
from audit.models import AuditEvent, Seal, SealedEvent
from audit.readable import rows

Place = tuple[int, int]
BEGINNING: Place = (0, -1)


class UnsealedEventError(LookupError):
    """No seal has an event of this id."""


def place_of(event_id: UUID) -> Place:
    """Return in which seal an event stands, and where.

    Raises:
        UnsealedEventError: It stands in none.
    """
    found = SealedEvent.objects.filter(pk=event_id).values_list("seal_id", "position").first()
    if found is None:
        raise UnsealedEventError(event_id)
    place: Place = found
    return place


def sealed_after(place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield what is sealed by now and comes after a place, in order, a seal in memory at a time.

    An event that somebody has made unreadable has no `occurred_at`.
    """
    number, position = place
    while True:
        yield from _members(number, after=position)
        following = Seal.objects.filter(number__gt=number).order_by("number")
        next_number = following.values_list("number", flat=True).first()
        if next_number is None:
            return
        number, position = next_number, -1


def _members(number: int, *, after: int) -> Iterator[tuple[Place, dict[str, Any]]]:
    events = AuditEvent.objects.filter(sealed__seal_id=number, sealed__position__gt=after)
    ordered = events.order_by("sealed__position")
    for row in list(rows(ordered, "sealed__position")):
        position = row["sealed__position"]
        yield (number, position), {**event_as_json(row), "seal": number, "position": position}
