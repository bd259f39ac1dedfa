"""Filters whose choices are known, so that no list is read through to find them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from connections_project.core.ids import first_uuid7
from connections_project.core.parsing import parse_datetime

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


class FormFilter(SimpleListFilter):
    """A filter that is a form of one field: a text, or a choice among too many for links.

    A subclass has `label`, and `narrowed`, which raises ValueError for what means nothing.
    """

    template = "admin/text_filter.html"
    label: ClassVar[str] = ""
    # Whether its value may tell of a person, such as by an address.
    names_people: ClassVar[bool] = False

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        left_out = {self.parameter_name, "p", "e"}
        self.others = [(k, v) for k, v in request.GET.items() if k not in left_out]
        super().__init__(request, *args)

    def options(self) -> list[Choice]:
        """Return what can be chosen; nothing for a text."""
        return []

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:  # noqa: ARG002
        # Django leaves a filter out that has nothing to choose.
        return [("", "")]

    def choices(self, changelist: Any) -> Iterator[Any]:  # noqa: ARG002
        yield {
            "name": self.parameter_name,
            "value": self.value() or "",
            "label": self.label,
            "options": self.options(),
            "others": self.others,
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = (self.value() or "").strip()
        try:
            return self.narrowed(queryset, value) if value else queryset
        except ValueError:
            raise IncorrectLookupParameters from None

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        raise NotImplementedError


def select_filter(column: str, options: Callable[[], Iterable[Choice]]) -> type[FormFilter]:
    """Return a filter class for a column of many known values, to be chosen from a list.

    Args:
        column: Also the query's parameter.
        options: Gives value and words; called at each request.
    """

    class SelectFilter(FormFilter):
        title = column.replace("_", " ")
        parameter_name = column
        label = title.capitalize()

        def options(self) -> list[Choice]:
            return list(options())

        def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
            if value not in {choice for choice, _ in options()}:
                raise ValueError(value)
            return queryset.filter(**{column: value})

    return SelectFilter


class _SpanFilter(FormFilter):
    """A bound of the time at which a row was made, by its time-ordered id."""

    lookup: ClassVar[str] = ""

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(**{self.lookup: first_uuid7(self.time(value))})

    def time(self, value: str) -> datetime:
        zone = timezone.get_current_timezone()
        return parse_datetime(value if len(value) > 10 else f"{value} 00:00", zone=zone)


class FromFilter(_SpanFilter):
    """From a day or a time on."""

    title = "start"
    parameter_name = "from"
    label = "From, as 2026-12-31 or 2026-12-31 18:00"
    lookup = "id__gte"


class UntilFilter(_SpanFilter):
    """Until a time, or the end of a day."""

    title = "end"
    parameter_name = "until"
    label = "Until, as 2026-12-31 or 2026-12-31 18:00"
    lookup = "id__lt"

    def time(self, value: str) -> datetime:
        found = super().time(value)
        try:
            return found if len(value) > 10 else found + timedelta(days=1)
        except OverflowError:
            raise ValueError("beyond the calendar") from None


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


MADE = (AgeFilter, FromFilter, UntilFilter)
