"""Forced disconnects in the background: confirmed here, and watched until they are over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString

from connections_project.admin.base import ReadOnlyAdmin
from connections_project.admin.filters import MADE, column_filter
from connections_project.admin.formatting import badge, format_datetime
from connections_project.connections.registry import connection_type
from connections_project.core import clock
from connections_project.identity.names import names_of
from connections_project.operations.admin.force import radius_context
from connections_project.operations.admin.forms import ForceDisconnectForm
from connections_project.operations.bulk_jobs import AlreadyStartedError, start
from connections_project.operations.models import BulkItem, BulkJob, BulkState, ItemState

REFRESH_SECONDS = 2
SHOWN_FAILURES = 100


@dataclass(frozen=True)
class Progress:
    """How far a job is. `rate` is in connections a second, `left` in seconds."""

    percent: int
    rate: float
    left: int | None

    @classmethod
    def of(cls, job: BulkJob, *, now: datetime) -> "Progress":
        percent = 100 * job.processed // job.total if job.total else 100
        if job.started_at is None:
            return cls(percent, 0.0, None)
        seconds = ((job.finished_at or now) - job.started_at).total_seconds()
        rate = job.processed / max(seconds, 0.001)
        left = None if not rate or job.is_over else round((job.total - job.processed) / rate)
        return cls(percent, rate, left)


def state_badge(job: BulkJob) -> SafeString:
    """Show a job's state by its name, which is plainer than the word that is stored."""
    return badge(BulkState(job.state).name.lower())


@admin.register(BulkJob)
class BulkJobAdmin(ReadOnlyAdmin):
    """Each job's page asks for the reason first, and shows the progress afterwards."""

    list_display = (
        "short_id",
        "shown_state",
        "app",
        "total",
        "processed",
        "failed",
        "reason",
        "made",
    )
    list_filter = (
        column_filter("state", lambda: [(state.value, state.name.lower()) for state in BulkState]),
        *MADE,
    )
    export_columns = ("id", "app", "state", "total", "processed", "failed", "reason",
                      "requested_by", "created_at", "started_at", "finished_at")  # fmt: skip
    search_help_text = "The job's id"

    def shown_state(self, job: BulkJob) -> SafeString:
        return state_badge(job)

    shown_state.short_description = "state"  # type: ignore[attr-defined]

    def made(self, job: BulkJob) -> Any:
        return format_datetime(job.created_at)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        if job.state == BulkState.UNCONFIRMED:
            return self._question(request, job)
        return self._progress(request, job)

    def _question(self, request: HttpRequest, job: BulkJob) -> HttpResponse:
        """Return the confirmation, if whoever stored the selection still has the permission."""
        may = connection_type(job.app).may_force_disconnect(request.user)  # type: ignore[arg-type]
        if not may or request.user.pk != job.requested_by:
            raise PermissionDenied
        form = ForceDisconnectForm(job.app, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._confirmation(request, job, form)
        try:
            start(job, form.options())
        except AlreadyStartedError:
            self.message_user(request, "It was started before.", messages.WARNING)
        return redirect(request.path)

    def _confirmation(
        self, request: HttpRequest, job: BulkJob, form: ForceDisconnectForm
    ) -> HttpResponse:
        model = connection_type(job.app).model
        chosen: QuerySet[Any, UUID] = BulkItem.objects.filter(job=job).values("connection_id")  # type: ignore[assignment]
        radius = radius_context(job.app, model._default_manager.filter(pk__in=chosen))
        form.leave_out(radius)
        return self.page(
            request,
            "admin/force_disconnect.html",
            opts=model._meta,
            title="Disconnect by force, in the background",
            job=job,
            **radius,
            form=form,
            back=reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
            post_to=request.path,
        )

    def _progress(self, request: HttpRequest, job: BulkJob) -> HttpResponse:
        failures = BulkItem.objects.filter(job=job, state=ItemState.FAILED)
        model = connection_type(job.app).model
        refreshes = not job.is_over and "still" not in request.GET
        response = self.page(
            request,
            "admin/bulk_job.html",
            title="Forced disconnect in the background",
            job=job,
            target=model._meta,
            by=names_of([job.requested_by]).get(job.requested_by, job.requested_by),
            shown_state=state_badge(job),
            progress=Progress.of(job, now=clock.now()),
            done=job.processed - job.failed - job.passed_over,
            failures=list(failures.order_by("connection_id")[:SHOWN_FAILURES]),
            refreshes=refreshes,
        )
        if refreshes:
            # The one way to look again that needs no script.
            response["Refresh"] = str(REFRESH_SECONDS)
        return response
