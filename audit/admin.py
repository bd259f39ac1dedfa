"""The audit log for operators: to be read, nothing else."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.events import Action, ActorType, Interface, Outcome
from audit.models import AuditEvent
from audit.people import ids_of, names_of, people_beginning
from audit.readable import read
from connections_project.admin.base import ReadOnlyAdmin, SortedList
from connections_project.admin.filters import (
    FormFilter,
    FromFilter,
    UntilFilter,
    column_filter,
    select_filter,
)
from connections_project.admin.formatting import badge, connection_model, exact_time, short_id
from connections_project.core.parsing import parse_uuid


def _words(known: type[ActorType | Interface | Outcome]) -> list[tuple[str, str]]:
    return [(one.value, one.value) for one in known]


class ActorFilter(FormFilter):
    """Who did it."""

    title = "actor"
    parameter_name = "actor"
    names_people = True
    label = "E-mail address or id of who did it"

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(actor_id__in=ids_of(value))


class SubjectFilter(FormFilter):
    """What it was done to, or whose that is."""

    title = "subject"
    parameter_name = "subject"
    names_people = True
    label = "Id of what it was done to, or its owner's e-mail address or id"

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        ids = ids_of(value)
        return queryset.filter(Q(subject_id__in=ids) | Q(subject_owner_id__in=ids))


class EventList(SortedList):
    """A page of events, with the names of the people on it by one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = read(cast("QuerySet[AuditEvent]", self.result_list))
        ids = {key for row in rows for key in (row.actor_id, row.subject_id) if key}
        names = names_of(ids)
        for row in rows:
            row.names = names
        self.result_list = rows


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """A plain list, newest first; identifiers are time-ordered, so the key's index serves it."""

    list_display = ("when", "action", "shown_outcome", "actor", "interface", "subject",
                    "reason")  # fmt: skip
    list_filter = (
        column_filter("outcome", lambda: _words(Outcome)),
        select_filter("action", lambda: sorted((one.value, one.value) for one in Action)),
        column_filter("interface", lambda: _words(Interface)),
        column_filter("actor_type", lambda: _words(ActorType), named="kind of actor"),
        ActorFilter,
        SubjectFilter,
        FromFilter,
        UntilFilter,
    )
    id_columns = ("id", "subject_id", "subject_owner_id")
    text_columns = ("action", "trace_id")
    search_help_text = (
        "What an e-mail address (to the @ at least) or the id of an event, a subject or its owner "
        "begins with, an action, such as provider_disconnected, or a trace id"
    )
    actions = None
    sortable_by = ("when",)
    saved_filters = {
        "Failures": "outcome=failure",
        "By operators": "interface=admin",
        "By commands": "interface=command",
        "Refused sign-ins": "action=login_failed",
        "Forced disconnects": "action=connection_force_disconnected",
        "Suspensions": "action=platform_suspended",
        "Exported lists": "action=list_exported",
    }
    export_columns = ("id", "occurred_at", "action", "outcome", "actor_type", "actor_id",
                      "interface", "subject_type", "subject_id", "subject_owner_id", "reason",
                      "trace_id", "client_address", "details")  # fmt: skip

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[SortedList]:  # noqa: ARG002
        return EventList

    def get_object(self, request: HttpRequest, *key: Any) -> AuditEvent | None:
        found = read(self.get_queryset(request).filter(pk__in=[parse_uuid(key[0])]))
        return found[0] if found else None

    def export_rows(self, queryset: QuerySet[Any]) -> list[tuple[Any, ...]]:
        columns = (*self.export_columns, "pk")
        return [tuple(getattr(event, name) for name in columns) for event in read(queryset)]

    def search_filter(self, term: str) -> Q:
        if "@" not in term:
            return super().search_filter(term)
        ids = list(people_beginning(term).values_list("pk", flat=True))
        return Q(actor_id__in=ids) | Q(subject_id__in=ids) | Q(subject_owner_id__in=ids)

    @admin.display(ordering="id")
    def when(self, event: AuditEvent) -> str:
        return exact_time(event.occurred_at) if event.is_readable else "can't be read"

    def shown_outcome(self, event: AuditEvent) -> SafeString:
        return badge(event.outcome)

    shown_outcome.short_description = "outcome"  # type: ignore[attr-defined]

    def actor(self, event: AuditEvent) -> SafeString | str:
        is_user = event.actor_type in {ActorType.USER, ActorType.SERVICE, ActorType.OPERATOR}
        page = _page("identity", "user", event.actor_id) if is_user else ""
        return _typed(event.actor_type, event.actor_id, page, _names(event))

    def subject(self, event: AuditEvent) -> SafeString | str:
        page = _subject_page(event.subject_type, event.subject_id)
        return _typed(event.subject_type, event.subject_id, page, _names(event))


def _names(event: Any) -> Mapping[UUID, str]:
    """Return the names of a list's page; on an event's own page they are read for it."""
    if not hasattr(event, "names"):
        event.names = names_of({key for key in (event.actor_id, event.subject_id) if key})
    names: Mapping[UUID, str] = event.names
    return names


def _subject_page(kind: str, key: UUID | None) -> str:
    app, _, what = kind.partition(".")
    if what == "connection":
        try:
            model = connection_model(app)._meta
        except LookupError:
            return ""
        return _page(model.app_label, model.model_name or "", key)
    return _page("identity", kind, key) if kind in {"user", "team"} else ""


def _page(app: str, model: str, key: UUID | None) -> str:
    try:
        return reverse(f"admin:{app}_{model}_change", args=[key]) if key else ""
    except NoReverseMatch:
        return ""


def _typed(kind: str, key: UUID | None, page: str, names: Mapping[UUID, str]) -> SafeString | str:
    if key is None:
        return kind
    shown = names.get(key) or short_id(key)
    if not page or (key not in names and page.startswith("/admin/identity/user/")):
        # Who was forgotten, or never was a user, has no page.
        return format_html("{} {}", kind, shown)
    return format_html('{} <a href="{}">{}</a>', kind, page, shown)
