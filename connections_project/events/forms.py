"""What the admin asks about event endpoints."""

from collections.abc import Mapping
from typing import Any

from django import forms

from connections_project.admin.made_once import CreationForm
from connections_project.admin.object_actions import QuestionForm
from connections_project.admin.time_zone import MomentField
from connections_project.events.endpoints import StillRotatingError
from connections_project.events.models import Endpoint
from connections_project.events.types import EventType


class EndpointForm(CreationForm):
    """What an endpoint is made of."""

    url = forms.CharField(max_length=2048, label="Address", help_text="Where it is told; https.")
    types = forms.MultipleChoiceField(
        choices=EventType.choices, required=False, help_text="Of these alone; all where none is."
    )


class SpanForm(QuestionForm):
    """Which events are delivered once more."""

    since = MomentField(help_text="From then on, as 2026-01-31 12:00, in your time zone.")
    until = MomentField(required=False, help_text="Before then; up to now without it.")


class RotationForm(QuestionForm):
    """Whether a new secret may cut off receivers that have the secret of before the present one.

    The box stands for that one secret: sent again, the form drops no other one.

    Args:
        endpoint: Whose secret is rotated; nothing is asked where nobody is cut off.
    """

    force = forms.BooleanField(label="Rotate all the same: receivers have the present secret")

    def __init__(self, data: Mapping[str, Any] | None, *, endpoint: Endpoint) -> None:
        ends_at = endpoint.two_sign_until
        which = ends_at.isoformat() if ends_at else ""
        if data is not None and data.get("force") != which:
            data = {}
        super().__init__(data)
        if ends_at is None:
            del self.fields["force"]
        else:
            refusal = StillRotatingError(ends_at)
            self.fields["force"].widget.attrs["value"] = which
            self.fields["force"].help_text = f"Take care: {refusal}."
            self.fields["force"].error_messages["required"] = f"Not rotated: {refusal}."

    @property
    def is_forced(self) -> bool:
        return bool(self.cleaned_data.get("force"))
