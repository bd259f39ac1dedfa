"""The audit log for operators: to be read, nothing else."""

from uuid import UUID

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.events import Outcome
from audit.models import AuditEvent
from connections_project.admin.base import ReadOnlyAdmin
from connections_project.admin.filters import AgeFilter, column_filter
from connections_project.admin.formatting import badge, short_id


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """A plain list, newest first; identifiers are time-ordered, so the key's index serves it."""

    list_display = ("occurred_at", "action", "shown_outcome", "actor", "interface", "subject",
                    "reason")  # fmt: skip
    list_filter = (
        column_filter("outcome", lambda: [(one.value, one.value) for one in Outcome]),
        AgeFilter,
    )
    id_columns = ("id", "subject_id", "subject_owner_id")
    text_columns = ("action", "trace_id")
    search_help_text = (
        "An action, such as provider_disconnected, a trace id, or the id of an event, a subject or "
        "its owner"
    )
    actions = None

    def shown_outcome(self, event: AuditEvent) -> SafeString:
        return badge(event.outcome)

    shown_outcome.short_description = "outcome"  # type: ignore[attr-defined]

    def actor(self, event: AuditEvent) -> SafeString | str:
        return _typed(event.actor_type, event.actor_id)

    def subject(self, event: AuditEvent) -> SafeString | str:
        return _typed(event.subject_type, event.subject_id)


def _typed(kind: str, key: UUID | None) -> SafeString | str:
    return format_html("{} {}", kind, short_id(key)) if key else kind
