"""Forced disconnects in the admin: what would be touched, then the reason, then the engine."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import jwt
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from connections_project.admin.object_actions import AdminExtension, Button
from connections_project.connections.admin import ConnectionAdmin
from connections_project.connections.registry import Selection, connection_type
from connections_project.identity.origins import admin_origin
from connections_project.operations.admin.forms import ForceDisconnectForm
from connections_project.operations.blast_radius import blast_radius, survivors
from connections_project.operations.bulk_jobs import store_selection
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import Result
from connections_project.platforms.registry import help_url_of, name_of, upstream
from connections_project.receipts.facts import NotDisconnectedError, has_receipt
from connections_project.receipts.issue import issue
from connections_project.revocation.release import can_revoke

ACTION = "force_disconnect_selected"
# More than a page's worth is stored and disconnected in the background.
AT_ONCE = 100
NAMED_FAILURES = 10


def radius_context(app: str, selection: Selection) -> dict[str, Any]:
    """Count what would be touched; where tokens are kept, also what erasing them adds."""
    keeps = connection_type(app).model.keeps_tokens
    if_erased = blast_radius(app, selection, erase_tokens=True) if keeps else None
    radius = blast_radius(app, selection)
    left = survivors(app, selection)
    names = [(name_of(slug), count) for slug, count in radius.platforms.items()]
    return {
        "radius": radius,
        "platforms": names,
        "if_erased": if_erased,
        "keeps_tokens": keeps,
        "survivors": [(name_of(one.slug), help_url_of(one.slug), one) for one in left],
        "can_revoke": any(can_revoke(upstream(slug)) for slug in radius.platforms),
    }


class ForceDisconnect(AdminExtension):
    """Lets an operator with the permission end connections: one, a selection, or all."""

    @property
    def app(self) -> str:
        return str(self.admin.model.app)

    def actions(self) -> list[Callable[..., Any]]:
        return [self.force_disconnect_selected]

    def urls(self) -> list[URLPattern]:
        wrap = self.admin.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/force-disconnect/",
                wrap(self.force_disconnect_view),
                name=self._named("force_disconnect"),
            ),
            path("<uuid:pk>/receipt/", wrap(self.receipt_view), name=self._named("receipt")),
        ]

    def _named(self, page: str) -> str:
        return f"{self.admin.opts.app_label}_{self.admin.opts.model_name}_{page}"

    def _page(self, name: str, pk: UUID) -> str:
        return reverse(f"admin:{self._named(name)}", args=[pk])

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        found = []
        if self.admin.has_force_disconnect_permission(request) and self.can_be_forced(row):
            page = self._page("force_disconnect", row.pk)
            found.append(Button("Disconnect by force", page, is_destructive=True))
        if has_receipt(row):
            found.append(Button("Receipt", self._page("receipt", row.pk)))
        return found

    def receipt_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Show, or give as a file, what the owner would be given as proof."""
        row = self.admin.get_object(request, str(pk))
        if row is None or not self.admin.has_view_permission(request, row):
            raise Http404
        try:
            receipt = issue(row)
        except NotDisconnectedError:
            raise Http404 from None
        if "file" in request.GET:
            name = f'attachment; filename="receipt-{pk}.jws"'
            return HttpResponse(
                receipt, content_type="application/jose", headers={"Content-Disposition": name}
            )
        return self.page(
            request,
            "admin/receipt.html",
            original=row,
            title="Receipt of the disconnect",
            receipt=receipt,
            claims=jwt.decode(receipt, options={"verify_signature": False}),
            back=self._page("change", pk),
        )

    def can_be_forced(self, row: Any) -> bool:
        """Whether there is anything left to end, or to erase."""
        return row.disconnected_at is None or row.auth_state is not None

    @admin.action(description="Disconnect by force …", permissions=["force_disconnect"])
    def force_disconnect_selected(
        self, _: ConnectionAdmin, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse:
        """Show what would be touched; large selections are stored, for a bulk job."""
        ids = list(queryset.order_by("-id").values_list("pk", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            job = store_selection(self.app, queryset, origin=admin_origin(request))
            return redirect("admin:operations_bulkjob_change", job.pk)
        # The form comes back to the list without its filters, so that the very ids that were shown
        # are ended, also those that fit the filters no longer.
        hidden = [("action", ACTION), *((ACTION_CHECKBOX_NAME, pk) for pk in ids)]
        return self._confirmed(request, ids, back=request.path, hidden=hidden)

    def force_disconnect_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        self._check(request)
        if not self.admin.get_queryset(request).filter(pk=pk).exists():
            raise Http404
        return self._confirmed(request, [pk], back=self._page("change", pk), hidden=[])

    def _check(self, request: HttpRequest) -> None:
        if not self.admin.has_force_disconnect_permission(request):
            raise PermissionDenied

    def _confirmed(
        self, request: HttpRequest, ids: list[UUID], *, back: str, hidden: list[tuple[str, Any]]
    ) -> HttpResponse:
        """Ask for the reason until there is one, then disconnect at once."""
        form = ForceDisconnectForm(self.app, request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._question(request, ids, form, back=back, hidden=hidden)
        result = force_disconnect(self.app, ids, form.options(), origin=admin_origin(request))
        self._report(request, result)
        return redirect(back)

    def _question(
        self,
        request: HttpRequest,
        ids: list[UUID],
        form: ForceDisconnectForm,
        *,
        back: str,
        hidden: list[tuple[str, Any]],
    ) -> HttpResponse:
        radius = radius_context(self.app, ids)
        form.leave_out(radius)
        return self.page(
            request,
            "admin/force_disconnect.html",
            title="Disconnect by force",
            **radius,
            rows=self._cells(request, ids),
            form=form,
            back=back,
            post_to=request.path,
            hidden=hidden,
        )

    def _cells(self, request: HttpRequest, ids: list[UUID]) -> list[tuple[Any, ...]]:
        """Return each row with what the list shows of it."""
        joined = self.admin.get_list_select_related(request)
        rows = self.admin.get_queryset(request).select_related(*joined).filter(pk__in=ids)
        columns = ("shown_status", "platform", "account", "owner")
        return [(row, *(getattr(self.admin, one)(row) for one in columns)) for row in rows]

    def _report(self, request: HttpRequest, result: Result) -> None:
        parts = [f"{result.disconnected} disconnected"]
        if result.passed_over:
            parts.append(f"{result.passed_over} were over already")
        noun = "revocation" if result.revocations == 1 else "revocations"
        parts.append(f"{result.revocations} {noun} pending")
        level = messages.SUCCESS if not result.failures else messages.WARNING
        self.admin.message_user(request, f"{', '.join(parts)}.", level)
        for failure in result.failures[:NAMED_FAILURES]:
            self.admin.message_user(
                request,
                f"{failure.connection_id} was left as it is: {failure.detail}",
                messages.ERROR,
            )
