"""Buttons on a row's page: each asks first, and calls one verb."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from connections_project.core.text import LONGEST_REASON, refuse_deceptive


class QuestionForm(forms.Form):
    """A confirmation, where nothing has to be typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class ReasonForm(QuestionForm):
    """A confirmation that is kept with its reason in the audit log."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        validators=[refuse_deceptive],
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60, "autofocus": True}),
        help_text="1 to 512 characters in one line, for the audit log. It can't be changed "
        "afterwards.",
    )


@dataclass(frozen=True, kw_only=True)
class ObjectAction:
    """What an operator may do to one row.

    Args:
        name: Stands in the address.
        permission: Whoever lacks it sees no button, and gets 403.
        question: What will happen, in a sentence or two; or what says that of a row.
        do: Gets request, row and reason, and says in a sentence what has happened.
        applies: Whether the row is one to do it to.
        is_destructive: Whether the button warns by its colour.
    """

    name: str
    label: str
    permission: str
    question: str | Callable[[Any], str]
    do: Callable[[HttpRequest, Any, str], str]
    applies: Callable[[Any], bool] = lambda _: True
    form: type[QuestionForm] = ReasonForm
    is_destructive: bool = False


@dataclass(frozen=True)
class Button:
    label: str
    address: str
    is_destructive: bool = False


class AdminExtension:
    """What a higher layer adds to an admin of a lower one: actions, pages, buttons and context.

    The layer appends its class to the admin's `extensions` in `AppConfig.ready`.

    Args:
        admin: The admin that is extended, one of each model.
    """

    def __init__(self, admin: Any) -> None:
        self.admin = admin

    def actions(self) -> list[Callable[..., Any]]:
        """Return further actions on a selection; each gets admin, request and queryset."""
        return []

    def urls(self) -> list[URLPattern]:
        """Return further pages."""
        return []

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:  # noqa: ARG002
        """Return further buttons that this operator has on this row's page."""
        return []

    def context(self, request: HttpRequest, row: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return further context of this row's page, as far as this operator may see it."""
        return {}

    def page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """Render a page as the admin does."""
        rendered: TemplateResponse = self.admin.page(request, template, **context)
        return rendered


class ObjectActionsMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages and buttons for the object actions of a model, and for what extends its admin."""

    object_actions: tuple[ObjectAction, ...] = ()
    extensions: ClassVar[list[type[AdminExtension]]] = []

    def _extensions(self) -> list[AdminExtension]:
        return [extension(self) for extension in self.extensions]

    def _get_base_actions(self) -> list[Any]:
        more = [action for one in self._extensions() for action in one.actions()]
        return [*super()._get_base_actions(), *map(self.get_action, more)]  # type: ignore[misc]

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<path:object_id>/{action.name}/",
                self.admin_site.admin_view(partial(self.object_action_view, action=action)),
                name=self._address_name(action),
            )
            for action in self.object_actions
        ]
        more = [page for one in self._extensions() for page in one.urls()]
        return [*more, *pages, *super().get_urls()]

    def _address_name(self, action: ObjectAction) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{action.name.replace('-', '_')}"

    def page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """Render a page of the admin that Django has not."""
        general = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**general, "opts": self.opts, **context})

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Return the buttons that this operator has on this row's page."""
        own = [
            Button(
                action.label,
                reverse(f"admin:{self._address_name(action)}", args=[row.pk]),
                action.is_destructive,
            )
            for action in self.object_actions
            if request.user.has_perm(action.permission) and action.applies(row)
        ]
        return [*own, *(each for one in self._extensions() for each in one.buttons(request, row))]

    def render_change_form(  # type: ignore[override]
        self, request: HttpRequest, context: dict[str, Any], **more: Any
    ) -> HttpResponse:
        row = more.get("obj")
        context["buttons"] = self.buttons(request, row) if row is not None else []
        for extension in self._extensions() if row is not None else ():
            context |= extension.context(request, row)
        return super().render_change_form(request, context, **more)

    def object_action_view(
        self, request: HttpRequest, object_id: str, *, action: ObjectAction
    ) -> HttpResponse:
        if not request.user.has_perm(action.permission):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        if not action.applies(row):
            self.message_user(request, "There is nothing to do here any more.", messages.WARNING)
            return redirect(page)
        form = action.form(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._ask(request, row, action, form, page)
        self.message_user(request, action.do(request, row, form.cleaned_data.get("reason", "")))
        return redirect(page)

    def made_before(
        self, request: HttpRequest, pk: Any, *, has_secret: bool = True
    ) -> HttpResponse:
        """Lead to the row that a form made when it was sent before (`made_once.py`)."""
        said = "This was sent twice, and made once: what is below."
        if has_secret:
            said += (
                " Its secret stood in the first answer alone. If nobody has copied it, end this "
                "one and make another."
            )
        self.message_user(request, said, messages.WARNING)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", pk)

    def _ask(
        self, request: HttpRequest, row: Any, action: ObjectAction, form: QuestionForm, page: str
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/question.html",
            original=row,
            title=action.label,
            action=action,
            question=action.question(row) if callable(action.question) else action.question,
            form=form,
            back=page,
        )
