"""What an operator is asked before connections are ended by force."""

from collections.abc import Mapping
from typing import Any

from django import forms

from connections_project.admin.object_actions import ReasonForm
from connections_project.connections.registry import connection_type
from connections_project.operations.options import DisconnectOptions


class ForceDisconnectForm(ReasonForm):
    """The reason, and how far it goes; each app is asked only what concerns it."""

    cancel_schedules = forms.BooleanField(
        required=False,
        label="Cancel what is scheduled",
        help_text="Otherwise a channel with pending schedules is left as it is.",
    )
    skip_revocation = forms.BooleanField(
        required=False,
        label="Skip the revocation",
        help_text="Nothing is revoked at the platforms: the tokens live on until they expire.",
    )
    erase_tokens = forms.BooleanField(
        required=False,
        label="Erase the tokens",
        help_text="And revoke them at the platform, unless that is skipped. Otherwise they stay "
        "here, sealed and unused, for the retention time, and nothing is revoked.",
    )

    def __init__(self, app: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = connection_type(app)
        if asked.active_schedules is None:
            del self.fields["cancel_schedules"]
        if not asked.model.keeps_tokens:
            del self.fields["erase_tokens"]

    def leave_out(self, radius: Mapping[str, Any]) -> None:
        """Leave out what means nothing for what the page tells of a selection."""
        if not radius["can_revoke"]:
            del self.fields["skip_revocation"]

    def options(self) -> DisconnectOptions:
        """Return what was asked for; the form is valid."""
        given = self.cleaned_data
        return DisconnectOptions(
            reason=given["reason"],
            revoke=not given["skip_revocation"],
            cancel_schedules=given.get("cancel_schedules", False),
            erase_tokens=given.get("erase_tokens", False),
        )
