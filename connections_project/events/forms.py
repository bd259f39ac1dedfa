"""What the admin asks about event endpoints."""

from typing import Any

from django import forms

from connections_project.admin.object_actions import QuestionForm
from connections_project.admin.time_zone import MomentField
from connections_project.events.endpoints import StillRotatingError
from connections_project.events.models import Endpoint
from connections_project.events.types import EventType


class EndpointForm(QuestionForm):
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

    Args:
        endpoint: Whose secret is rotated; nothing is asked where nobody is cut off.
    """

    force = forms.BooleanField(label="Rotate all the same: receivers have the present secret")

    def __init__(self, *args: Any, endpoint: Endpoint, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if endpoint.two_sign_until is None:
            del self.fields["force"]
        else:
            refusal = StillRotatingError(endpoint.two_sign_until)
            self.fields["force"].help_text = f"Take care: {refusal}."
            self.fields["force"].error_messages["required"] = f"Not rotated: {refusal}."

    @property
    def is_forced(self) -> bool:
        return bool(self.cleaned_data.get("force"))
