"""Parts of answers that all apps have in common."""

from collections.abc import Iterable
from typing import Any, TypeVar

from rest_framework import serializers

Row = TypeVar("Row")


class PaginationSerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField()
    total_pages = serializers.IntegerField()
    has_next = serializers.BooleanField()
    has_prev = serializers.BooleanField()


def serialize_rows(answer: type[serializers.Serializer[Row]], rows: Iterable[Row]) -> list[Any]:
    """Write rows out one by one, without what DRF does for lists that may be written to."""
    one = answer()
    return [one.to_representation(row) for row in rows]
