"""Lists of the admin that read a table of any size by its indexes, and never count it."""

from functools import cached_property, reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from connections_project.admin.formatting import short_id
from connections_project.admin.object_actions import ObjectActionsMixin
from connections_project.core.parsing import parse_uuid

# Whoever looks for one row among a million filters or searches; nobody turns ten thousand pages.
MOST_COUNTED = 1000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to a limit, along the index that the list is read by."""

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
        return int(rows[: MOST_COUNTED + 1].count())


class BaseAdmin(ObjectActionsMixin):
    """A list, newest first by the time-ordered key. Nothing is deleted in the admin."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    # Another order would sort the whole table.
    sortable_by = ()
    ordering = ("-id",)
    # What the search compares with, each column by its own index: ids, and other texts.
    id_columns: ClassVar[tuple[str, ...]] = ("id",)
    text_columns: ClassVar[tuple[str, ...]] = ()

    def short_id(self, row: Any) -> SafeString:
        return short_id(row.pk)

    short_id.short_description = "id"  # type: ignore[attr-defined]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, {**title, **(extra_context or {})})

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
        return (*self.id_columns, *self.text_columns)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(self.search_filter(term)) if term else queryset), False

    def search_filter(self, term: str) -> Q:
        """Describe the rows in which one of the columns has exactly this value."""
        found = parse_uuid(term)
        ids = [Q(**{column: found}) for column in self.id_columns] if found else []
        texts = [Q(**{column: term}) for column in self.text_columns]
        # A word that can fit nothing finds nothing.
        return reduce(or_, [*ids, *texts], Q(pk__in=[]))

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False


class ReadOnlyAdmin(BaseAdmin):
    """Records that nobody edits: a changed field would state what has not happened."""

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        return False
