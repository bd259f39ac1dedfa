"""Forms that make a row whose secret is shown once: sent twice, one makes no second row.

Two clicks and a reload send a form again, and the browser shows the last answer alone: the first
secret would be good, and shown to nobody. So each form gives out the id of the row that it makes.
"""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django import forms
from django.db import IntegrityError, models

from connections_project.admin.object_actions import QuestionForm
from connections_project.core.ids import uuid7

T = TypeVar("T")


class MadeBeforeError(Exception):
    """The form was sent before, and has made a row then.

    Args:
        row_id: The row's id.
    """

    def __init__(self, row_id: UUID) -> None:
        super().__init__(row_id)
        self.row_id = row_id


class CreationForm(QuestionForm):
    """What a row is made of, and its id."""

    row_id = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=uuid7,
        error_messages=dict.fromkeys(("required", "invalid"), "Open this page anew."),
    )

    def make_once(self, model: type[models.Model], make: Callable[[UUID], T]) -> T:
        """Make the row of a form that is valid.

        Args:
            make: Inserts the row with an id, in a transaction of its own.

        Raises:
            MadeBeforeError: It is there already.
        """
        row_id: UUID = self.cleaned_data["row_id"]
        rows = model._default_manager.filter(pk=row_id)
        try:
            if not rows.exists():
                return make(row_id)
        except IntegrityError:
            # Of two at once the second one has waited for the first.
            if not rows.exists():
                raise
        raise MadeBeforeError(row_id)
