"""Principals and teams in the admin. Passwords stay out of it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from connections_project.identity.models import Membership, Team, User

# Who could change these could make an operator of anybody, and so of himself.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class NothingIsDeleted:
    """Whoever goes is deactivated.

    Deleting a principal would take its connections along, and with them what has to be revoked.
    """

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False


@admin.register(User)
class UserAdmin(NothingIsDeleted, admin.ModelAdmin):  # type: ignore[type-arg]
    """A principal, without its password, and so not made here: the commands ask for one."""

    list_display = ("email", "principal_type", "is_active", "is_staff", "created_at")
    list_filter = ("principal_type", "is_active", "is_staff")
    search_fields = ("email",)
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("id", "email", "principal_type", "is_active", *POWERS, "created_at", "last_login")
    filter_horizontal = ("groups", "user_permissions")

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, *_: Any, **__: Any) -> tuple[str, ...]:
        fixed = ("id", "principal_type", "created_at", "last_login")
        return fixed if request.user.is_superuser else (*fixed, *POWERS)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who belongs to the team."""

    model = Membership
    fields = ("user",)
    raw_id_fields = ("user",)
    extra = 0


@admin.register(Team)
class TeamAdmin(NothingIsDeleted, admin.ModelAdmin):  # type: ignore[type-arg]
    """A team and its members."""

    list_display = ("name", "created_at")
    search_fields = ("name",)
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("id", "name", "owner", "created_at")
    readonly_fields = ("id", "owner", "created_at")
    inlines = (MembershipInline,)
