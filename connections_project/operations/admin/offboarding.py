"""Offboarding in the admin: what goes with the user is shown first, and back again."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from connections_project.admin.object_actions import AdminExtension, Button, ReasonForm
from connections_project.admin.viewing import may_view
from connections_project.connections.registry import connection_types
from connections_project.identity.models import ApiKey, User
from connections_project.identity.origins import admin_origin
from connections_project.operations.admin.person import person_context
from connections_project.operations.leaver_receipt import (
    NotALeaverError,
    has_leaver_receipt,
    issue_leaver_receipt,
)
from connections_project.operations.offboarding import (
    ForgottenError,
    deactivate,
    forget,
    reactivate,
)
from connections_project.operations.offboarding_plan import may_offboard, offboarding_plan
from connections_project.operations.options import Result

DEACTIVATE = (
    "The user is shut out at once, and everything that is the user's own is disconnected for good. "
    "The user can be let in again; what was disconnected stays so."
)
FORGET = (
    "All that deactivating does; kept tokens are erased too, and then address, password and names "
    "go. The rows and the audit log stay, and name an id that leads to nobody. It can't be undone."
)
REACTIVATE = "The user can sign in again. What was disconnected stays so."


class Offboarding(AdminExtension):
    """Lets an operator deactivate, forget and reactivate a user, and hands out the receipt."""

    def urls(self) -> list[URLPattern]:
        wrap = self.admin.admin_site.admin_view
        pages = {
            "deactivate": self.deactivate_view,
            "forget": self.forget_view,
            "reactivate": self.reactivate_view,
            "leaver-receipt": self.leaver_receipt_view,
        }
        return [
            path(f"<uuid:pk>/{name}/", wrap(view), name=f"identity_user_{name}")
            for name, view in pages.items()
        ]

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        page = _page("leaver-receipt", row)
        may_have = may_see_receipts(request.user) and has_leaver_receipt(row)
        receipt = [Button("Leaver receipt", page)] if may_have else []
        if not self.admin.has_change_permission(request, row) or row.is_forgotten:
            return receipt
        labels = {"forget": "Delete: disconnect and forget"}
        labels |= {"deactivate": "Deactivate"} if row.is_active else {"reactivate": "Reactivate"}
        found = [
            Button(label, _page(name, row), name != "reactivate")
            for name, label in reversed(labels.items())
        ]
        return [*found, *receipt]

    def leaver_receipt_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Hand out the receipt as a file.

        Raises:
            PermissionDenied: The operator may not see users, or what the receipt speaks of.
            Http404: There is no such user, or none who has left.
        """
        user = User.objects.filter(pk=pk).first()
        may_view_user = self.admin.has_view_permission(request, user)
        if not may_view_user or not may_see_receipts(request.user):
            raise PermissionDenied
        if user is None:
            raise Http404
        try:
            receipt = issue_leaver_receipt(user)
        except NotALeaverError:
            raise Http404 from None
        name = f'attachment; filename="leaver-{user.pk}.jws"'
        headers = {"Content-Disposition": name}
        return HttpResponse(receipt, content_type="application/jose", headers=headers)

    def context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return person_context(row, request.user)

    def deactivate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        return self._offboarding_view(request, pk, deactivate, "Deactivate", DEACTIVATE)

    def forget_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        return self._offboarding_view(request, pk, forget, "Disconnect and forget", FORGET)

    def reactivate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        user = self._user(request, pk)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._question(request, user, form, "Reactivate", REACTIVATE)
        try:
            reactivate(user, reason=form.cleaned_data["reason"], origin=admin_origin(request))
        except ForgottenError:
            # By somebody else, since the page was shown.
            raise Http404 from None
        self.admin.message_user(request, f"{user.shown_name} can sign in again.")
        return redirect("admin:identity_user_change", user.pk)

    def _offboarding_view(
        self, request: HttpRequest, pk: Any, verb: Callable[..., Result], label: str, question: str
    ) -> HttpResponse:
        """Show what goes with the user, ask for the reason, and do it."""
        user = self._user(request, pk)
        if not may_offboard(request.user, user, forget=verb is forget):
            raise PermissionDenied
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            going = offboarding_plan(user, forget=verb is forget)
            more = {"going": going, "shows_keys": may_view(request.user, ApiKey)}
            return self._question(request, user, form, label, question, **more)
        result = verb(user, reason=form.cleaned_data["reason"], origin=admin_origin(request))
        self._report(request, label, result)
        return redirect("admin:identity_user_change", user.pk)

    def _user(self, request: HttpRequest, pk: Any) -> User:
        """Return the user of a page, to whom it may be done.

        Raises:
            Http404: There is none, or nobody but an id is left.
            PermissionDenied: By this operator it may not.
        """
        if not self.admin.has_change_permission(request):
            raise PermissionDenied
        user = User.objects.filter(pk=pk).first()
        if user is None or user.is_forgotten:
            raise Http404
        if not self.admin.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _question(
        self,
        request: HttpRequest,
        user: User,
        form: ReasonForm,
        label: str,
        question: str,
        **more: Any,
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/offboarding.html",
            original=user,
            title=f"{label}: {user.shown_name}",
            label=label,
            question=question,
            form=form,
            back=reverse("admin:identity_user_change", args=[user.pk]),
            **more,
        )

    def _report(self, request: HttpRequest, label: str, result: Result) -> None:
        level = messages.WARNING if result.failures else messages.SUCCESS
        self.admin.message_user(request, f"{label}: {result.disconnected} disconnected.", level)
        for failure in result.failures[:10]:
            text = f"{failure.connection_id} was left as it is: {failure.detail}. Repeat it."
            self.admin.message_user(request, text, messages.ERROR)


def may_see_receipts(viewer: Any) -> bool:
    """Whether an operator may see all that leaver receipts tell of: connections, and keys."""
    may_view_connections = all(may_view(viewer, one.model) for one in connection_types())
    return may_view(viewer, ApiKey) and may_view_connections


def _page(name: str, row: User) -> str:
    return reverse(f"admin:identity_user_{name}", args=[row.pk])
