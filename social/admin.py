"""Teams' social accounts, for operators to read."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from connections_project.admin.filters import AgeFilter, column_filter
from connections_project.admin.formatting import NOTHING
from connections_project.connections.admin import ConnectionAdmin, platform_choices
from connections_project.identity.models import Membership, Team, User
from social.models import SocialAccount, Status


class SocialAccountAdmin(ConnectionAdmin):
    list_filter = (
        column_filter("status", lambda: [(value, value) for value in Status.values]),
        column_filter("platform", lambda: platform_choices("social")),
        AgeFilter,
    )
    list_select_related = ("team",)
    search_help_text = "An account's id, its team's id, a member's e-mail address, or the id there"
    own_fields = ("is_active", "shown_tokens")

    def owners_of(self, users: QuerySet[User]) -> Iterable[UUID]:
        return Membership.objects.filter(user__in=users).values_list("team_id", flat=True)

    @staticmethod
    def owner_of(row: Any) -> Team:
        team: Team = row.team
        return team

    def shown_tokens(self, row: SocialAccount) -> str:
        return "kept, sealed and unused" if row.auth_state and not row.is_active else NOTHING

    shown_tokens.short_description = "tokens"  # type: ignore[attr-defined]
