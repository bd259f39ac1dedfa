"""The kill switch: every platform of the catalogue, suspended or not."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from connections_project.admin.base import ReadOnlyAdmin
from connections_project.admin.object_actions import ReasonForm
from connections_project.identity.names import names_of
from connections_project.identity.origins import admin_origin
from connections_project.platforms.catalog import catalog
from connections_project.platforms.endings import endings_of
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import UnknownPlatformError, has_credentials, upstream
from connections_project.platforms.suspend import resume, suspend

LIST = "admin:platforms_suspension_changelist"
SUSPEND = "platforms.add_suspension"
RESUME = "platforms.delete_suspension"


@admin.register(Suspension)
class SuspensionAdmin(ReadOnlyAdmin):
    """One page with all platforms; each is suspended and resumed with a reason."""

    ordering = ("slug",)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<slug:slug>/suspend/", wrap(self.suspend_view), name="platforms_suspend"),
            path("<slug:slug>/resume/", wrap(self.resume_view), name="platforms_resume"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.page(
            request,
            "admin/platforms.html",
            title="Platforms",
            platforms=_platforms(),
            may_suspend=request.user.has_perm(SUSPEND),
            may_resume=request.user.has_perm(RESUME),
            **(extra_context or {}),
        )

    def change_view(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:  # noqa: ARG002
        return redirect(LIST)

    def suspend_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self._asked(
            request,
            slug,
            permission=SUSPEND,
            label="Suspend",
            question="Connecting, refreshing, syncing and publishing answer 503 at once, in all "
            "processes. Disconnecting goes on.",
            verb=suspend,
        )

    def resume_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self._asked(
            request,
            slug,
            permission=RESUME,
            label="Resume",
            question="The platform is connected to, refreshed, synced and published to again.",
            verb=resume,
        )

    def _asked(
        self,
        request: HttpRequest,
        slug: str,
        *,
        permission: str,
        label: str,
        question: str,
        verb: Callable[..., bool],
    ) -> HttpResponse:
        """Ask for the reason, then suspend or resume."""
        if not request.user.has_perm(permission):
            raise PermissionDenied
        form = ReasonForm(request.POST if request.method == "POST" else None)
        name = _name_of(slug)
        if not form.is_valid():
            context = {
                "original": name,
                "title": f"{label} {name}",
                "action": {"label": label, "question": question, "is_destructive": verb is suspend},
                "back": reverse(LIST),
            }
            return self.page(request, "admin/question.html", form=form, **context)
        changed = _changed(verb, slug, form.cleaned_data["reason"], request)
        done = f"{label}: {name}." if changed else f"{name}: nothing had to be changed."
        self.message_user(request, done)
        return redirect(LIST)


def _changed(verb: Callable[..., bool], slug: str, reason: str, request: HttpRequest) -> bool:
    try:
        return verb(slug=slug, reason=reason, origin=admin_origin(request))
    except UnknownPlatformError:
        raise Http404 from None


def _name_of(slug: str) -> str:
    found = upstream(slug)
    if found is None and not Suspension.objects.filter(pk=slug).exists():
        raise Http404
    return found.platform.name if found else slug


def _platforms() -> list[dict[str, Any]]:
    """List the catalogue, and what is suspended without being in it; the suspended come first."""
    suspended = {one.slug: one for one in Suspension.objects.all()}
    names = names_of(one.suspended_by for one in suspended.values())
    rows: list[dict[str, Any]] = [
        {
            "slug": entry.slug,
            "name": entry.name,
            "app": entry.app,
            "status": entry.status,
            "is_configured": (found := upstream(entry.slug)) is not None and has_credentials(found),
            "suspension": suspended.pop(entry.slug, None),
            "endings": list(endings_of(entry)),
        }
        for entry in catalog().all()
    ]
    gone: list[dict[str, Any]] = [
        {"slug": slug, "name": slug, "app": "left the catalogue", "suspension": one}
        for slug, one in suspended.items()
    ]
    for row in (*rows, *gone):
        one = row["suspension"]
        row["by"] = names.get(one.suspended_by, "the command line") if one else ""
    return sorted([*rows, *gone], key=lambda row: row["suspension"] is None)
