"""The audit log for operators: to be read, nothing else."""

from typing import Any

from django.contrib import admin

from audit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin[AuditEvent]):
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
