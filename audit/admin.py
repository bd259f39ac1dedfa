"""The audit log for operators: to be read, nothing else."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from audit.models import AuditEvent

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[AuditEvent]
else:  # Django gives the class no type parameter at run time.
    _Admin = admin.ModelAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(_Admin):
    """A plain list, newest first; identifiers are time-ordered, so the key's index serves it."""

    list_display = ("occurred_at", "action", "outcome", "actor_type", "actor_id", "interface",
                    "subject_type", "subject_id", "reason")  # fmt: skip
    list_filter = ("outcome", "actor_type", "interface")
    search_fields = ("=action", "=trace_id")
    ordering = ("-id",)
    actions = None
    show_full_result_count = False

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False
