"""What may be found wrong with the audit log."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What was done to the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    CUT_OFF = "cut_off"
    # A signature that is missing, wrong, or by a key that nobody knows.
    NOT_SIGNED = "not_signed"
    # Another seal of the same number is known outside: everything was sealed anew.
    SEALED_ANEW = "sealed_anew"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in words for a person.

    `event_id` is None where no single event can be named, or nothing is left of it; `seal` where it
    stands in none.
    """

    kind: Kind
    words: str
    seal: int | None = None
    position: int | None = None
    event_id: UUID | None = None
