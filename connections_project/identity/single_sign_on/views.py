"""`/admin/sso`: to the provider, and back from it."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Origin
from connections_project.identity.admin_site import begin_operator_session
from connections_project.identity.login_attempts import (
    Attempt,
    TooManyAttemptsError,
    begin_single_sign_on,
    count_departure,
)
from connections_project.identity.models import User
from connections_project.identity.records import record_about_user
from connections_project.identity.sign_in import record_operator
from connections_project.identity.single_sign_on import provider
from connections_project.identity.single_sign_on.backend import library_setting, redirect_uri
from connections_project.identity.single_sign_on.rights import RefusedError
from connections_project.middleware.trusted_proxies import client_address


class _SingleSignOnMixin(View):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Hide it where it is not set up, and say so where the provider is away."""
        if not settings.ADMIN_OIDC:
            raise Http404
        try:
            response = super().dispatch(request, *args, **kwargs)
        except provider.ProviderUnavailableError:
            response = self.unavailable(request)
        except provider.BadIdTokenError:
            response = refused(request, status=403, reason="bad_id_token")
        except TooManyAttemptsError as error:
            # Not in the audit log: whoever calls could fill it.
            response = _page(request, status=429, reason="too_many")
            response.headers["Retry-After"] = str(error.retry_after)
        except RefusedError as error:
            response = refused(request, status=403, reason=error.reason, user=error.user)
        response.headers["Cache-Control"] = "no-store"
        return response

    def unavailable(self, request: HttpRequest) -> HttpResponse:
        return _page(request, status=503, reason="unavailable")


class SignInView(_SingleSignOnMixin, OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Sends an operator to the provider."""

    get_settings = staticmethod(library_setting)

    def __init__(self, **kwargs: Any) -> None:
        # The library's own would read the endpoint from settings.
        View.__init__(self, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        count_departure(address=client_address(request))
        self.OIDC_OP_AUTH_ENDPOINT = provider.metadata().authorization_endpoint
        self.OIDC_RP_CLIENT_ID = provider.single_sign_on().client_id
        response: HttpResponse = super().get(request)
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:  # noqa: ARG002
        return {"redirect_uri": redirect_uri(), "scope": provider.metadata().scopes}


class CallbackView(_SingleSignOnMixin, OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Lets an operator in who comes back from the provider."""

    attempt: Attempt

    get_settings = staticmethod(library_setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        self.attempt = begin_single_sign_on(address=client_address(request))
        # RFC 9207, section 2.4: an answer of another provider is sent nowhere.
        issuer = provider.single_sign_on().issuer
        if request.GET.get("iss", issuer) != issuer:
            raise RefusedError("another_issuer")
        state = request.GET.get("state")
        if "error" in request.GET and state not in request.session.get("oidc_states", {}):
            # Nobody here has asked: the library would sign out whoever follows a link to an error.
            return refused(request, status=403, reason="no_state")
        response: HttpResponse = super().get(request)
        return response

    def unavailable(self, request: HttpRequest) -> HttpResponse:
        return refused(request, status=503, reason="unavailable")

    @property
    def success_url(self) -> str:
        return self.request.session.get("oidc_login_next") or reverse("admin:index")

    def login_success(self) -> HttpResponse:
        response: HttpResponse = super().login_success()
        begin_operator_session(self.request)
        record_operator(self.request, self.user, by="single sign-on")
        self.attempt.excuse()
        return response

    def login_failure(self) -> HttpResponse:
        reason = "declined" if self.request.GET.get("error") else "no_state"
        return refused(self.request, status=403, reason=reason)


def refused(
    request: HttpRequest, *, status: int, reason: str, user: User | None = None
) -> HttpResponse:
    """Return the page that lets nobody in; the audit log keeps why."""
    address = client_address(request)
    with transaction.atomic():
        record_about_user(
            Action.LOGIN_FAILED,
            user.pk if user else None,
            origin=Origin(ActorType.USER, None, Interface.ADMIN, address),
            outcome=Outcome.FAILURE,
            reason=reason,
            details={"by": "single sign-on"},
        )
    return _page(request, status=status, reason=reason)


def _page(request: HttpRequest, *, status: int, reason: str) -> HttpResponse:
    return render(request, "identity/sso_refused.html", {"reason": reason}, status=status)
