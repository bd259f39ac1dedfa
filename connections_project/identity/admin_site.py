"""The way into the admin: e-mail, password and, where it is required, a code."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.messages.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from audit.events import Action
from audit.record import record
from connections_project.admin.time_zone import choose_time_zone
from connections_project.core import clock
from connections_project.core.database import is_lost_race
from connections_project.identity import sign_in
from connections_project.identity.known_browsers import remember_browser
from connections_project.identity.models import User
from connections_project.identity.origins import admin_origin
from connections_project.identity.views import SignInForm, set_status

SINGLE_SIGN_ON = "connections_project.identity.single_sign_on.backend.SingleSignOnBackend"
SESSION_SECONDS = 12 * 3600
TRIES = 3
View = TypeVar("View", bound=Callable[..., Any])
_UNTIL = "operator_until"


class OperatorSignInForm(SignInForm):
    """E-mail, password and code. Which of them was wrong is not said."""

    otp_token = forms.CharField(
        label="Code of your authenticator app, or a recovery code",
        required=False,
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )
    refused = "These don't match. A code is good once: wait for the next one and try again."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.ADMIN_TOTP_REQUIRED:
            del self.fields["otp_token"]
            self.refused = "This e-mail address and password let nobody into the admin."

    def verified(self, request: HttpRequest, email: str, password: str) -> User:
        code = "".join(self.cleaned_data.get("otp_token", "").split())
        return sign_in.authenticate_operator(request, email=email, password=password, code=code)


def begin_operator_session(request: HttpRequest) -> None:
    """Let a session into the admin for SESSION_SECONDS from now, whatever is done in it.

    The sign-in page, which asks for no second factor, keeps the session of whoever is signed in
    already: it must not prolong this.
    """
    until = clock.now() + timedelta(seconds=SESSION_SECONDS)
    request.session[_UNTIL] = until.timestamp()
    request.session.set_expiry(until)


def _is_over(request: HttpRequest) -> bool:
    until = request.session.get(_UNTIL)
    if until is None:
        return settings.ADMIN_TOTP_REQUIRED
    return bool(clock.now().timestamp() >= until)


def _tried_again(view: View) -> View:
    """Run a view again that another one at the same moment has got ahead of.

    It then sees what the other one did, and says so as it always does: by an error of the form, or
    that there is nothing to do. What was done is not done twice, since each verb passes over it.
    """

    @wraps(view)
    def tried(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        for _ in range(TRIES - 1):
            try:
                return view(request, *args, **kwargs)
            except DatabaseError as error:
                if connection.in_atomic_block or not is_lost_race(error):
                    raise
            # What it was about to say has not come about.
            request._messages = default_storage(request)  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return tried  # type: ignore[return-value]


class OperatorSite(AdminSite):
    """The admin, which lets nobody in on a password alone where a second factor is required."""

    site_header = site_title = "Connections"
    site_url = None
    # The strip of links at the top leaves the lists the whole width.
    enable_nav_sidebar = False
    login_form = OperatorSignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the user is staff, and a device of theirs has verified this session, within 12
        hours."""
        if not super().has_permission(request) or _is_over(request):
            return False
        if request.session.get(BACKEND_SESSION_KEY) == SINGLE_SIGN_ON:
            # How strongly somebody signs in is the provider's business (ADMIN_OIDC_REQUIRED_AMR).
            return True
        verified = getattr(request.user, "is_verified", None)
        return not settings.ADMIN_TOTP_REQUIRED or bool(verified and verified())

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return super().admin_view(_tried_again(view), cacheable)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        zone = self.admin_view(lambda request: choose_time_zone(request, self))
        # No row has a page outside the admin, and Django's way to one fails at a malformed key.
        pages = [one for one in super().get_urls() if getattr(one, "name", "") != "view_on_site"]
        return [path("time-zone/", zone, name="time_zone"), *pages]

    def record_export(self, request: HttpRequest, kind: str, details: Mapping[str, Any]) -> None:
        """Record that a list of some kind of rows is handed out, before any of it is."""
        with transaction.atomic():
            record(
                Action.LIST_EXPORTED,
                origin=admin_origin(request),
                subject_type=kind,
                subject_id=None,
                subject_owner_id=None,
                details=details,
            )

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"has_single_sign_on": bool(settings.ADMIN_OIDC)}
        response = super().login(request, {**context, **(extra_context or {})})
        if request.method == "POST" and response.status_code == 302:
            begin_operator_session(request)
            remember_browser(response, email=str(getattr(request.user, "email", "")))
        elif isinstance(response, TemplateResponse):
            set_status(response, (response.context_data or {}).get("form"))
        return response
