"""A list, as it is filtered, as CSV (RFC 4180) or JSON Lines, a batch of rows at a time."""

import csv
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from decimal import Decimal
from io import StringIO
from threading import Lock
from typing import Any, ClassVar
from uuid import UUID
from weakref import finalize

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from connections_project.core.parsing import render_datetime
from connections_project.core.places import places
from connections_project.core.text import json_spelt_out, spelt_out

logger = logging.getLogger(__name__)

BATCH = 1000
# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# Each has a thread until it is read.
EXPORTS = "exports"
Rows = Iterable[Sequence[Any]]
# Beside each other threads that only compute are no sooner done, and everybody else waits for the
# interpreter behind all of them: of the exports of a process, one writes at a time.
_writing = Lock()


def batches(
    rows: QuerySet[Any], read: Callable[[QuerySet[Any]], list[tuple[Any, ...]]]
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield all rows, newest first, by short queries along the key: no cursor is held open.

    Args:
        read: Returns the columns of rows, and the key last.
    """
    ordered = rows.order_by("-pk")
    found = read(ordered[:BATCH])
    while found:
        yield [row[:-1] for row in found]
        found = read(ordered.filter(pk__lt=found[-1][-1])[:BATCH])


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return render_datetime(value)
    return str(value) if isinstance(value, UUID | Decimal) else value


def _cell(value: Any) -> Any:
    """Return a value as people read it: what would be a formula, or move a terminal, is a text."""
    if isinstance(value, str):
        quote = "'" if value.startswith(_FORMULA) else ""
        return quote + spelt_out(value)
    plain = _plain(value)
    return json.dumps(plain) if isinstance(plain, bool | dict | list) else plain


def _csv_lines(rows: Rows) -> str:
    text = StringIO()
    with _writing:
        csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def as_csv(names: Sequence[str], parts: Iterable[Rows]) -> Iterator[str]:
    yield _csv_lines([names])
    yield from map(_csv_lines, parts)


def as_json_lines(names: Sequence[str], parts: Iterable[Rows]) -> Iterator[str]:
    for rows in parts:
        yield _json_lines(names, rows)


def _json_lines(names: Sequence[str], rows: Rows) -> str:
    documents = (dict(zip(names, map(_plain, row), strict=True)) for row in rows)
    with _writing:
        return json_spelt_out("".join(f"{json.dumps(document)}\n" for document in documents))


FORMATS: dict[str, tuple[str, Callable[[Sequence[str], Iterable[Rows]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/jsonl", as_json_lines),
}


# The last line of a file whose rows could not all be read.
CUT = "INCOMPLETE: reading failed here. Export again."
CUT_LINES = {"csv": f"{CUT}\r\n", "jsonl": json.dumps({"incomplete": CUT}) + "\n"}


def _marked_if_cut(lines: Iterator[str], last: str) -> Iterator[str]:
    """Yield the lines, and one that says so where reading fails: the server ends a whole file and
    half a one alike."""
    try:
        yield from lines
    except Exception:
        logger.exception("An export was cut")
        yield last


class _Placed:
    """An export that has a place until it is closed, or forgotten."""

    lines: Iterator[str]

    def __init__(self) -> None:
        self.close = finalize(self, places(EXPORTS).release)

    def __iter__(self) -> Iterator[str]:
        yield from self.lines


class ExportMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Hands out what a list shows. The site's `record_export` puts it into the audit log first."""

    # Named one by one, so that a new column can't hand out a secret by itself.
    export_columns: ClassVar[tuple[str, ...]] = ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        named = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export.<str:kind>", view, name=named), *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Stream the rows that match.

        Raises:
            PermissionDenied: The operator may not see them.
            BadRequest: The format or a filter's value is unknown.
        """
        if not self.export_columns or not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in FORMATS:
            raise BadRequest("Export as csv or jsonl.")
        if not places(EXPORTS).acquire(blocking=False):
            words = "Others export just now. Try again in a moment."
            return HttpResponse(words, "text/plain", 503, headers={"Retry-After": "5"})
        export = _Placed()
        try:
            export.lines = self._lines(request, kind)
        except BaseException:
            export.close()
            raise
        return self._download(export, kind)

    def _lines(self, request: HttpRequest, kind: str) -> Iterator[str]:
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            raise BadRequest("A filter's value means nothing.") from None
        _, write = FORMATS[kind]
        names = [column.replace("__", "_") for column in self.export_columns]
        rows = self._while_permitted(request, batches(changes.queryset, self.export_rows))
        site: Any = self.admin_site
        details = {"format": kind, "filters": _filters(changes)}
        site.record_export(request, self.opts.label_lower, details)
        return _marked_if_cut(write(names, rows), CUT_LINES[kind])

    def export_rows(self, queryset: QuerySet[Any]) -> list[tuple[Any, ...]]:
        """Return `export_columns` of rows, and the key last."""
        return list(queryset.values_list(*self.export_columns, "pk"))

    def _while_permitted(self, request: HttpRequest, parts: Iterable[Rows]) -> Iterator[Rows]:
        """Yield the parts as long as the operator may see them: reading may take long."""
        now = copy(request)
        for rows in parts:
            # Those of the request's own user stay as they were read at first.
            now.user = get_user_model()._default_manager.get(pk=str(request.user.pk))
            if not now.user.is_staff or not self.has_view_permission(now):
                raise PermissionDenied
            yield rows

    def _download(self, lines: Iterable[str], kind: str) -> HttpResponseBase:
        made = f"{timezone.now():%Y%m%dT%H%M%SZ}"
        file = f"{self.opts.app_label}-{self.opts.model_name}-{made}.{kind}"
        answer = StreamingHttpResponse(
            lines,
            content_type=FORMATS[kind][0],
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )
        # For the server (responses.py), where it stops in the middle of a line.
        answer.incomplete_mark = f"\r\n{CUT_LINES[kind]}".encode()  # type: ignore[attr-defined]
        return answer


def _filters(changes: Any) -> Mapping[str, str]:
    """Return what a list is filtered by, without what may name people: a log forgets nothing."""
    given = {one.parameter_name: one for one in changes.filter_specs if one.value()}
    details = {
        name: "(given)" if getattr(one, "names_people", False) else str(one.value())
        for name, one in given.items()
    }
    return details | ({SEARCH_VAR: "(given)"} if changes.query else {})
