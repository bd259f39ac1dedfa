"""The admin's site, with a dashboard of what needs attention."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from audit.models import AuditEvent, Seal
from connections_project.admin.dashboard.alerts import alerts
from connections_project.admin.dashboard.charts import KINDS, chart
from connections_project.admin.formatting import connection_model
from connections_project.admin.viewing import may_view
from connections_project.connections.registry import connection_types
from connections_project.identity.admin_site import OperatorSite
from connections_project.metrics.tables import last_counted


class DashboardSite(OperatorSite):
    index_title = "What needs attention"
    index_template = "admin/dashboard.html"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "connection_pages": list(_pages(request))}

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Render metrics that were counted within the last minute; nothing is counted here.

        Who may not look at the audit log sees only the list of pages.
        """
        may_look = may_view(request.user, AuditEvent)
        context = _last_metrics() if may_look else {}
        return super().index(request, {"may_look": may_look, **context, **(extra_context or {})})


def _last_metrics() -> dict[str, Any]:
    counted = last_counted()
    metrics = counted.metrics if counted else {}
    days = metrics.get("days", {})
    ends = Seal.objects.order_by("-number").values_list("complete_until", flat=True)
    return {
        "alerts": alerts(metrics, counted.counted_at if counted else None),
        "counted_at": counted and counted.counted_at,
        "apps": [_app(app, numbers) for app, numbers in metrics.get("connections", {}).items()],
        "oldest": _parse_time(metrics.get("oldest_pending")),
        "sealed_until": ends.first(),
        "jobs": metrics.get("revocation_jobs", {}),
        "jobs_page": reverse("admin:revocation_revocationjob_changelist"),
        "days": [(day, [numbers[kind] for kind in KINDS]) for day, numbers in days.items()],
        "chart": chart(days),
        "kinds": KINDS,
    }


def _pages(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Return name and address of each list of connections that an operator may see."""
    for one in connection_types():
        options = one.model._meta
        if may_view(request.user, one.model):
            page = f"admin:{options.app_label}_{options.model_name}_changelist"
            yield one.title, reverse(page)


def _parse_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _app(app: str, numbers: dict[str, int]) -> dict[str, Any]:
    options = connection_model(app)._meta
    page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return {
        "name": options.verbose_name_plural,
        "page": page,
        "statuses": sorted(numbers.items()),
        "total": sum(numbers.values()),
    }
