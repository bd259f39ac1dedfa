"""Teams' social accounts, for operators to read."""

from django.contrib import admin

from connections_project.admin.formatting import NOTHING
from connections_project.connections.admin import ConnectionAdmin
from social.models import SocialAccount


@admin.register(SocialAccount)
class SocialAccountAdmin(ConnectionAdmin):
    search_help_text = (
        "What an account's id, its team's id, a member's e-mail address (of the first 100 people), "
        "or the name or id there begins with"
    )
    own_fields = ("is_active", "shown_tokens")

    def shown_tokens(self, row: SocialAccount) -> str:
        return "kept, sealed and unused" if row.auth_state and row.is_disconnected else NOTHING

    shown_tokens.short_description = "tokens"  # type: ignore[attr-defined]
