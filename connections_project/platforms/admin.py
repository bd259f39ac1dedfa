"""The kill switch: every platform of the catalogue, suspended or not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
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


@dataclass(frozen=True)
class PlatformFacts:
    """What higher layers know of a platform.

    Args:
        connections: How many live connections there are, in words.
        trouble: What of it is left alone for now, and until when.
        stops: What a suspension would stop, a sentence each.
    """

    connections: str = ""
    trouble: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Switch:
    """Suspending or resuming, as its page asks for it.

    Args:
        verb: Does it; returns whether anything had to be changed.
    """

    permission: str
    label: str
    question: str
    verb: Callable[..., bool]
    is_destructive: bool = False


SUSPENDING = Switch(
    SUSPEND,
    "Suspend",
    "Connecting, refreshing, syncing and publishing answer 503 at once, in all processes. "
    "Disconnecting goes on.",
    suspend,
    is_destructive=True,
)
RESUMING = Switch(
    RESUME,
    "Resume",
    "The platform is connected to, refreshed, synced and published to again.",
    resume,
)


def suspend_form(name: str, slug: str) -> type[ReasonForm]:
    """Return the form that asks for the platform's name: a wrong click suspends nothing."""

    class SuspendForm(ReasonForm):
        platform = forms.CharField(
            label=f"Type the platform's name, {name}",
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )

        def clean_platform(self) -> str:
            typed = str(self.cleaned_data["platform"]).strip().casefold()
            if typed not in {name.casefold(), slug}:
                raise forms.ValidationError(f"That is not {name}.")
            return typed

    return SuspendForm


@admin.register(Suspension)
class SuspensionAdmin(ReadOnlyAdmin):
    """One page with all platforms; each is suspended and resumed with a reason."""

    ordering = ("slug",)
    # Set by a higher layer, which knows connections and circuits: the facts of a slug and its app.
    facts_of: ClassVar[Callable[[str, str], PlatformFacts] | None] = None

    @classmethod
    def facts(cls, slug: str, app: str) -> PlatformFacts:
        return cls.facts_of(slug, app) if cls.facts_of else PlatformFacts()

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
            platforms=[
                {**row, "facts": self.facts(row["slug"], row["app"])} for row in _platforms()
            ],
            may_suspend=request.user.has_perm(SUSPEND),
            may_resume=request.user.has_perm(RESUME),
            **(extra_context or {}),
        )

    def change_view(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:  # noqa: ARG002
        return redirect(LIST)

    def suspend_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self._switch(request, slug, SUSPENDING)

    def resume_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self._switch(request, slug, RESUMING)

    def _switch(self, request: HttpRequest, slug: str, way: Switch) -> HttpResponse:
        """Ask for the reason, then suspend or resume."""
        if not request.user.has_perm(way.permission):
            raise PermissionDenied
        name = _name_of(slug)
        kind = suspend_form(name, slug) if way.is_destructive else ReasonForm
        form = kind(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._question(request, slug, way, form)
        changed = _changed(way.verb, slug, form.cleaned_data["reason"], request)
        done = f"{way.label}: {name}." if changed else f"{name}: nothing had to be changed."
        self.message_user(request, done)
        return redirect(LIST)

    def _question(
        self, request: HttpRequest, slug: str, way: Switch, form: ReasonForm
    ) -> HttpResponse:
        name = _name_of(slug)
        return self.page(
            request,
            "admin/question.html",
            original=name,
            title=f"{way.label} {name}",
            action=way,
            question=way.question,
            facts=self._stops(slug) if way.is_destructive else (),
            back=reverse(LIST),
            form=form,
        )

    def _stops(self, slug: str) -> tuple[str, ...]:
        found = upstream(slug)
        return self.facts(slug, found.platform.app).stops if found else ()


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
