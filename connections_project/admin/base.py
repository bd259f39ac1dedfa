"""Lists of the admin that read a table of any size by its indexes, and never count it."""

from collections.abc import Iterable
from functools import cached_property, reduce
from operator import or_
from threading import Lock
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db.models import DateTimeField, ManyToManyField, Q, QuerySet
from django.forms import CheckboxSelectMultiple, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from connections_project.admin.exports import ExportMixin
from connections_project.admin.formatting import short_id, time_column
from connections_project.admin.object_actions import ObjectActionsMixin
from connections_project.core.places import NoPlaceError, a_place
from connections_project.core.prefixes import uuids_beginning

# Whoever looks for one row among a million filters or searches; nobody turns ten thousand pages.
MOST_COUNTED = 1000
# A page of a list is tens of milliseconds of templates. Forty at once have a few threads, the
# others are refused; and as with exports one of them computes, for the others' sake.
LISTS = "admin_lists"
# How long a list waits for others, in seconds: two operators click at the same moment.
LIST_SECONDS = 2.0
_rendering = Lock()


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to a limit, along the index that the list is read by."""

    # In the list's order PostgreSQL would look for the few that a search finds along the whole key.
    is_search = False

    @cached_property
    def count(self) -> int:
        return min(self._found, MOST_COUNTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than are counted and paged."""
        return self._found > MOST_COUNTED

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list
        rows = rows.order_by() if self.is_search else rows
        return int(rows[: MOST_COUNTED + 1].count())


class SortedList(ChangeList):
    """A page of a list that is sorted by declared columns alone, whatever its address asks for."""

    def get_ordering_field(self, field_name: Any) -> Any:
        known = field_name in (self.sortable_by or ())
        return super().get_ordering_field(field_name) if known else None


def ids_filter(columns: Iterable[str], term: str) -> Q:
    """Describe the rows in which one of these ids begins with a term, if ids can."""
    span = uuids_beginning(term)
    # Foreign keys know no `range`.
    found = [
        Q(**{f"{column}__gte": span[0], f"{column}__lte": span[1]}) for column in columns if span
    ]
    return reduce(or_, found, Q(pk__in=[]))


def _rendered(page: HttpResponse) -> HttpResponse:
    if isinstance(page, TemplateResponse):
        with _rendering:
            page.render()
    return page


def _without_page(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop(PAGE_VAR, None)
    return f"?{query.urlencode()}"


class CheckedForm(ModelForm):  # type: ignore[type-arg]
    """A form that checks every constraint of its row, whichever fields it has.

    Django leaves out those that name another column, such as that of an inline form's parent.
    """

    def validate_unique(self) -> None:
        super().validate_unique()
        if self.errors:
            return
        try:
            self.instance.validate_constraints()
        except ValidationError as error:
            self.add_error(None, error)


class BaseAdmin(ExportMixin, ObjectActionsMixin):
    """A list, newest first by the time-ordered key. Nothing is deleted in the admin."""

    form = CheckedForm
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    # Django's picker of two lists is none for screen readers.
    formfield_overrides = {ManyToManyField: {"widget": CheckboxSelectMultiple}}
    # By what has an index: another order would sort the whole table.
    sortable_by: ClassVar[tuple[str, ...]] = ("short_id",)
    ordering = ("-id",)
    # What the search compares with, each column by its own index: ids and texts by what they begin
    # with, names in any case, and texts as a whole.
    id_columns: ClassVar[tuple[str, ...]] = ("id",)
    prefix_columns: ClassVar[tuple[str, ...]] = ()
    name_columns: ClassVar[tuple[str, ...]] = ()
    text_columns: ClassVar[tuple[str, ...]] = ()
    # What operators look for again and again: the query of each, by its name.
    saved_filters: ClassVar[dict[str, str]] = {}

    @admin.display(description="id", ordering="id")
    def short_id(self, row: Any) -> SafeString:
        return short_id(row.pk)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return self._with_times(super().get_list_display(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return self._with_times(super().get_readonly_fields(request, obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [
            (title, {**part, "fields": self._with_times(part["fields"])})
            for title, part in super().get_fieldsets(request, obj)
        ]

    def get_paginator(self, request: HttpRequest, *arguments: Any, **named: Any) -> Any:
        paginator: Any = super().get_paginator(request, *arguments, **named)
        paginator.is_search = bool(request.GET.get(SEARCH_VAR))
        return paginator

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[SortedList]:  # noqa: ARG002
        return SortedList

    def _with_times(self, names: Iterable[Any]) -> tuple[Any, ...]:
        """Return fields, of which times are shown with their zones."""
        times = {one.name for one in self.opts.fields if isinstance(one, DateTimeField)}
        return tuple(time_column(name) if name in times else name for name in names)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "saved_filters": [
                (name, query, query == request.GET.urlencode())
                for name, query in self.saved_filters.items()
            ],
            "export_query": _without_page(request) if self.export_columns else None,
        }
        context |= extra_context or {}
        if request.method == "POST":
            return super().changelist_view(request, context)
        try:
            with a_place(LISTS, within=LIST_SECONDS):
                return _rendered(super().changelist_view(request, context))
        except NoPlaceError:
            return render(request, "503.html", status=503)

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Do what was chosen, where the chosen rows' keys are keys at all."""
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(key)
            except ValidationError:
                raise BadRequest("A selected row's key is malformed.") from None
        return super().response_action(request, queryset)

    def lookup_allowed(
        self,
        lookup: str,
        value: str,  # noqa: ARG002
        request: HttpRequest | None = None,
    ) -> bool:
        """Whether this is a declared filter.

        Django would also admit any column of the model, and so tell a password's hash letter by
        letter (`?password__startswith=`).
        """
        filters = self.get_list_filter(request or HttpRequest())
        return lookup in {getattr(one, "parameter_name", None) for one in filters}

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:  # noqa: ARG002
        return (
            *(*self.id_columns, *self.prefix_columns),
            *(*self.name_columns, *self.text_columns),
        )

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(self.search_filter(term)) if term else queryset), False

    def search_filter(self, term: str) -> Q:
        """Describe the rows in which one of the columns is, or begins with, this."""
        found = [
            *(Q(**{f"{column}__begins_with": term}) for column in self.prefix_columns),
            *(Q(**{f"{column}__ibegins_with": term}) for column in self.name_columns),
            *(Q(**{column: term}) for column in self.text_columns),
        ]
        # A word that can fit nothing finds nothing.
        return reduce(or_, found, ids_filter(self.id_columns, term))

    def log_addition(self, *arguments: Any) -> LogEntry:
        return _without_name(super().log_addition(*arguments))

    def log_change(self, *arguments: Any) -> LogEntry:
        return _without_name(super().log_change(*arguments))

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False


def _without_name(entry: LogEntry) -> LogEntry:
    """Have Django's history name an id, as the audit log does: a person may be forgotten."""
    entry.object_repr = entry.object_id or ""
    entry.save(update_fields=["object_repr"])
    return entry


class ReadOnlyAdmin(BaseAdmin):
    """Records that nobody edits: a changed field would state what has not happened."""

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        return False
