"""The audit log for operators: to be read, nothing else."""

from django.contrib import admin

from audit.events import Action, Outcome
from audit.models import AuditEvent
from connections_project.back_office.filters import AgeFilter, column_filter
from connections_project.back_office.lists import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """A plain list, newest first; identifiers are time-ordered, so the key's index serves it."""

    list_display = ("occurred_at", "action", "outcome", "actor_type", "actor_id", "interface",
                    "subject_type", "subject_id", "reason")  # fmt: skip
    list_filter = (
        column_filter("action", lambda: [(one.value, one.value) for one in Action]),
        column_filter("outcome", lambda: [(one.value, one.value) for one in Outcome]),
        AgeFilter,
    )
    id_columns = ("id", "subject_id", "subject_owner_id")
    search_help_text = "The id of an event, of a subject or of its owner"
    actions = None
