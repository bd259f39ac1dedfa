"""Forms of this app's admin."""

from typing import Any

from django import forms

from connections_project.admin.made_once import CreationForm
from connections_project.admin.time_zone import MomentField
from connections_project.identity.models import Scope, Team
from connections_project.identity.teams import teams_beginning, teams_called


class KeyForm(CreationForm):
    """What a new key may do, and until when."""

    team = forms.CharField(
        max_length=254,
        help_text="The team's name or id, or the e-mail address of whose own it is. "
        "To search, give what the name begins with.",
    )
    name = forms.CharField(required=False, max_length=100, help_text="What the team calls it.")
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple())
    expires_at = MomentField(
        required=False,
        label="Good until",
        help_text="As 2026-12-31 18:00, in your time zone. Empty: until it is revoked.",
    )

    def __init__(self, *args: Any, shows_teams: bool) -> None:
        super().__init__(*args)
        self._shows_teams = shows_teams

    @property
    def wanted(self) -> dict[str, Any]:
        """Return what was asked for, as `create_key` takes it."""
        return {name: self.cleaned_data[name] for name in ("team", "name", "scopes", "expires_at")}

    def clean_team(self) -> Team:
        term = self.cleaned_data["team"]
        found = teams_called(term)
        if len(found) != 1 and not self._shows_teams:
            raise forms.ValidationError("Give the id of the team.")
        if len(found) != 1:
            near = found or teams_beginning(term)
            each = "; ".join(f"{team.name} ({team.pk})" for team in near) or "there is none"
            raise forms.ValidationError(f"Give the id of the team. Near that: {each}.")
        return found[0]
