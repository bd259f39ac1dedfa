"""By which keys the jobs of a queue are told apart, such as their platforms."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Min, QuerySet


def keys_of(rows: QuerySet[Any], column: str) -> Iterator[str]:
    """Yield each value of a column, from one to the next by its index: DISTINCT reads all rows."""
    key = rows.aggregate(next=Min(column))["next"]
    while key is not None:
        yield key
        key = rows.filter(**{f"{column}__gt": key}).aggregate(next=Min(column))["next"]
