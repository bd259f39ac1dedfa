"""The ids of a selection as it was at one time: what was counted is what is ended."""

from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet

from connections_project.connections.registry import Selection, connection_type

_BYTES = 16
_READ_AT_ONCE = 10_000


class IdSnapshot:
    """Ids in the order of their keys, at 16 bytes each: a million take 16 MB."""

    def __init__(self, ids: Iterable[UUID]) -> None:
        self._packed = bytearray()
        for one in ids:
            self._packed += one.bytes

    def __len__(self) -> int:
        return len(self._packed) // _BYTES

    def __iter__(self) -> Iterator[UUID]:
        for start in range(0, len(self._packed), _BYTES):
            yield UUID(bytes=bytes(self._packed[start : start + _BYTES]))

    def batches(self, size: int) -> Iterator[list[UUID]]:
        ids = iter(self)
        while batch := list(islice(ids, size)):
            yield batch


def take_snapshot(app: str, selection: Selection, *, erase_tokens: bool = False) -> IdSnapshot:
    """Read the ids of a selection, in one pass; of connections only those that are not over.

    Args:
        selection: Connections of that app, or ids, which are taken as they are.
        erase_tokens: See `DisconnectOptions`.
    """
    if isinstance(selection, IdSnapshot):
        return selection
    if not isinstance(selection, QuerySet):
        return IdSnapshot(sorted(set(selection)))
    rows = connection_type(app).unfinished(selection, erase_tokens=erase_tokens).order_by("pk")
    return IdSnapshot(rows.values_list("pk", flat=True).iterator(chunk_size=_READ_AT_ONCE))
