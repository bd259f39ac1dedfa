"""Filters whose choices are known, so that no list is read through to find them."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from connections_project.core.ids import first_uuid7

Choice = tuple[str, str]


class KnownFilter(SimpleListFilter):
    """A filter that refuses what is none of its choices."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = self.value()
        if value is None:
            return queryset
        if value not in {choice for choice, _ in self.lookup_choices}:
            raise IncorrectLookupParameters
        return self.narrowed(queryset, value)

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        raise NotImplementedError


def column_filter(
    column: str,
    choices: Callable[[], Iterable[Choice]],
    *,
    named: str = "",
    by: Callable[[str], Any] = str,
) -> type[KnownFilter]:
    """Return a filter class for one column.

    Args:
        column: Also the query's parameter.
        choices: Gives value and words; called at each request.
        named: What stands above it; the column's name by default.
        by: Makes of the query's text what the column holds.
    """

    class ColumnFilter(KnownFilter):
        title = named or column.replace("_", " ")
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:  # noqa: ARG002
            return list(choices())

        def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
            return queryset.filter(**{column: by(value)})

    return ColumnFilter


class AgeFilter(KnownFilter):
    """When a row was made, by its time-ordered id (RFC 9562, section 5.7): a range of the key."""

    title = "age"
    parameter_name = "age"
    AGES: ClassVar[dict[str, tuple[str, timedelta]]] = {
        "hour": ("in the last hour", timedelta(hours=1)),
        "day": ("in the last 24 hours", timedelta(days=1)),
        "week": ("in the last 7 days", timedelta(days=7)),
        "month": ("in the last 30 days", timedelta(days=30)),
        "older": ("more than 30 days ago", timedelta(days=30)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:  # noqa: ARG002
        return [(name, words) for name, (words, _) in self.AGES.items()]

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        border = first_uuid7(timezone.now() - self.AGES[value][1])
        return queryset.filter(**{"id__lt" if value == "older" else "id__gte": border})
