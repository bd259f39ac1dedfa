"""Forms that make a row: sent twice, one makes no second row.

Two clicks and a reload send a form again, and the browser shows the last answer alone: a secret of
the first would be good, and shown to nobody. So each form gives out the id of the row it makes.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponse

from connections_project.admin.base import BaseAdmin, CheckedForm
from connections_project.admin.object_actions import QuestionForm
from connections_project.core.ids import uuid7
from connections_project.core.parsing import parse_uuid

T = TypeVar("T")


class MadeBeforeError(Exception):
    """The form was sent before, and has made a row then.

    Args:
        row_id: The row's id.
    """

    def __init__(self, row_id: UUID) -> None:
        super().__init__(row_id)
        self.row_id = row_id


class RowIdField(forms.UUIDField):
    """The id of the row that a form makes; nobody sees or changes it."""

    def __init__(self) -> None:
        errors = dict.fromkeys(("required", "invalid"), "Open this page anew.")
        super().__init__(widget=forms.HiddenInput, initial=uuid7, error_messages=errors)

    def has_changed(self, *_: Any) -> bool:
        return False


class CreationForm(QuestionForm):
    """What a row is made of, and its id."""

    row_id = RowIdField()

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


class CreatedRowForm(CheckedForm):
    """Django's form of a new row, and its id."""

    row_id = RowIdField()


class MadeOnceAdmin(BaseAdmin):
    """An admin whose rows are made by Django's own form, each once."""

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        kwargs = kwargs if obj else {"form": CreatedRowForm, **kwargs}
        return super().get_form(request, obj, *args, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        return fields if obj else (*fields, "row_id")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if not change:
            # Not earlier: formsets take the id away from a row that is new.
            obj.pk = form.cleaned_data["row_id"]
        super().save_model(request, obj, form, change)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Of two at once the second one waits for the first, and is tried again by the site.
        row_id = parse_uuid(request.POST.get("row_id", ""))
        if self.model._default_manager.filter(pk=row_id).exists():
            return self.made_before(request, row_id, has_secret=False)
        return super().add_view(request, *args, **kwargs)
