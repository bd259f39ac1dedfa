"""Putting every stored ciphertext under the newest key, row by row, while the service runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.apps import apps
from django.db import models

from connections_project.core.vault import DecryptionError, Sealed, SealedField, rotate

Outcome = Literal["rotated", "current", "unreadable", "gone"]


@dataclass(frozen=True)
class Column:
    """A column of ciphertexts."""

    model: type[models.Model]
    name: str

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def filled(self) -> "models.QuerySet[Any]":
        """Return the rows that hold something.

        The base manager also sees what was deleted from its owner's sight.
        """
        return self.model._base_manager.filter(**{f"{self.name}__isnull": False})

    def count(self) -> int:
        return self.filled().count()


@dataclass(frozen=True)
class Row:
    """A ciphertext as it was read."""

    column: Column
    pk: Any
    sealed: Sealed


def columns() -> list[Column]:
    """Return every sealed column of every installed model, each once."""
    return [
        Column(model, field.name)
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_fields
        if isinstance(field, SealedField)
    ]


def rows(column: Column, *, batch_size: int) -> Iterator[Row]:
    """Read a column in the order of its keys, `batch_size` rows a query."""
    found, after = column.filled().order_by("pk").values_list("pk", column.name), None
    while batch := list((found if after is None else found.filter(pk__gt=after))[:batch_size]):
        yield from (Row(column, pk, sealed) for pk, sealed in batch)
        after = batch[-1][0]


def rotate_row(row: Row, *, dry_run: bool) -> Outcome:
    """Encrypt one ciphertext with the newest key.

    It is written only where the row still holds what was read, so that a token that was refreshed
    meanwhile, or a disconnect, isn't overwritten. Each row is a transaction of its own: a batch
    would hold locks that a disconnect has to wait for.
    """
    sealed: Sealed | None = row.sealed
    while sealed is not None:
        try:
            fresh = rotate(sealed)
        except DecryptionError:
            return "unreadable"
        if fresh is None:
            return "current"
        if dry_run or _replaced(row, sealed, fresh):
            return "rotated"
        sealed = _current_value(row)
    return "gone"


def _replaced(row: Row, sealed: Sealed, fresh: Sealed) -> bool:
    name = row.column.name
    unchanged = row.column.filled().filter(**{"pk": row.pk, name: sealed})
    return bool(unchanged.update(**{name: fresh}))


def _current_value(row: Row) -> Sealed | None:
    held: Sealed | None = (
        row.column.filled().filter(pk=row.pk).values_list(row.column.name, flat=True).first()
    )
    return held
