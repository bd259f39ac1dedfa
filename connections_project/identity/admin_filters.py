"""Filters of principals and teams."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest

from connections_project.admin.filters import Choice, KnownFilter


class KindFilter(KnownFilter):
    """Leaves out everybody's own teams, which far outnumber the shared ones, unless asked for them
    or for a team by its name."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Choice]:  # noqa: ARG002
        return [("own", "people's own"), ("all", "all")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.value() is None and not request.GET.get(SEARCH_VAR):
            return queryset.filter(owner=None)
        return super().queryset(request, queryset)

    def narrowed(self, queryset: "QuerySet[Any]", value: str) -> "QuerySet[Any]":
        return queryset.exclude(owner=None) if value == "own" else queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            is_default = choice["query_string"] == changelist.get_query_string(
                remove=[self.parameter_name]
            )
            yield {**choice, "display": "shared"} if is_default else choice
