"""What operators see of connections: facts, never credentials. Nothing is edited here by hand."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from providers.models import Connection


@admin.register(Connection)
class ConnectionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "provider_slug", "status", "user", "connected_at", "disconnected_at")
    list_filter = ("status", "provider_slug")
    list_select_related = ("user",)
    show_full_result_count = False
    ordering = ("-id",)
    search_fields = ("=id", "=user__email", "=platform_account_id")
    # Named one by one, so that a new column can't show a credential by itself.
    fields = readonly_fields = (
        "id", "user", "provider_slug", "alias", "status", "platform_account_id",
        "platform_account_name", "granted_scope", "token_expires_at", "grant_expires_at",
        "connected_at", "last_sync_at", "disconnected_at", "deleted_at", "created_at", "updated_at",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
