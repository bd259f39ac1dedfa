"""`/admin/sso`: to the provider, and back from it."""

from typing import Any

from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from audit import events
from audit.events import Action, ActorType, Interface
from audit.record import Origin
from connections_project.core.prefetches import is_prefetch
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
from connections_project.identity.single_sign_on import provider, states
from connections_project.identity.single_sign_on.backend import library_setting, redirect_uri
from connections_project.identity.single_sign_on.rights import RefusedError
from connections_project.identity.single_sign_on.states import Outcome
from connections_project.middleware.trusted_proxies import client_address

# Statuses and words of the audit log; RefusedError brings its own word.
_REFUSALS: dict[type[Exception], tuple[int, str]] = {
    provider.ProviderUnavailableError: (503, "unavailable"),
    provider.BadCodeError: (403, "bad_code"),
    provider.BadIdTokenError: (403, "bad_id_token"),
}
_REFUSED: tuple[type[Exception], ...] = (RefusedError, *_REFUSALS)


class _SingleSignOnMixin(View):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Hide it where it is not set up, and say so where the provider is away."""
        if not settings.ADMIN_OIDC:
            raise Http404
        try:
            response = super().dispatch(request, *args, **kwargs)
        except TooManyAttemptsError as error:
            # Not in the audit log: whoever calls could fill it.
            response = _page(request, status=429, reason="too_many")
            response.headers["Retry-After"] = str(error.retry_after)
        except _REFUSED as error:
            response = self.refused(request, error)
        response.headers["Cache-Control"] = "no-store"
        return response

    def refused(self, request: HttpRequest, error: Exception) -> HttpResponse:
        return _page_of(request, _outcome(error))


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
        with states.locked_session(request):
            response: HttpResponse = super().get(request)
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:  # noqa: ARG002
        return {"redirect_uri": redirect_uri(), "scope": provider.metadata().scopes}


class CallbackView(_SingleSignOnMixin, OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Lets an operator in who comes back from the provider."""

    attempt: Attempt
    user: User

    get_settings = staticmethod(library_setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        if is_prefetch(request):
            return _page(request, status=503, reason="prefetch")
        self.attempt = begin_single_sign_on(address=client_address(request))
        # RFC 9207, section 2.4: an answer of another provider is sent nowhere.
        issuer = provider.single_sign_on().issuer
        if request.GET.get("iss", issuer) != issuer:
            raise RefusedError("another_issuer")
        state = request.GET.get("state", "")
        is_answer = "code" in request.GET or "error" in request.GET
        taken = states.take(request, state) if is_answer else None
        return self._again(request, state) if taken is None else self._first(request, state, taken)

    def refused(self, request: HttpRequest, error: Exception) -> HttpResponse:
        outcome = _outcome(error)
        _record_refusal(request, outcome.reason, getattr(error, "user", None))
        return _page_of(request, outcome)

    def _first(self, request: HttpRequest, state: str, taken: dict[str, Any]) -> HttpResponse:
        before = request.session.session_key
        try:
            self.user = _authenticated(request, taken)
        except _REFUSED as error:
            states.refuse(request, state, _outcome(error))
            raise
        with transaction.atomic():
            response = self.login_success()
            outcome = Outcome(response.status_code, location=response["Location"])
            states.let_in(request.session, state, outcome, before=before)
        self.attempt.excuse()
        return response

    def _again(self, request: HttpRequest, state: str) -> HttpResponse:
        """Tell the browser how it went the first time that this state came."""
        outcome = states.outcome_of(request, state)
        if outcome is None:
            raise RefusedError("no_state")
        if outcome.location:
            self.attempt.excuse()
            return HttpResponseRedirect(outcome.location)
        return _page_of(request, outcome)

    @property
    def success_url(self) -> str:
        return self.request.session.get("oidc_login_next") or reverse("admin:index")

    def login_success(self) -> HttpResponse:
        response: HttpResponse = super().login_success()
        begin_operator_session(self.request)
        record_operator(self.request, self.user, by="single sign-on")
        return response


def _authenticated(request: HttpRequest, taken: dict[str, Any]) -> User:
    if "error" in request.GET:
        raise RefusedError("declined")
    user = auth.authenticate(request, **taken)
    if not isinstance(user, User):
        raise RefusedError("no_state")
    return user


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, RefusedError):
        return Outcome(403, error.reason)
    return Outcome(*_REFUSALS[type(error)])


def _record_refusal(request: HttpRequest, reason: str, user: User | None) -> None:
    with transaction.atomic():
        record_about_user(
            Action.LOGIN_FAILED,
            user.pk if user else None,
            origin=Origin(ActorType.USER, None, Interface.ADMIN, client_address(request)),
            outcome=events.Outcome.FAILURE,
            reason=reason,
            details={"by": "single sign-on"},
        )


def _page_of(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    """Return the page that lets nobody in."""
    response = _page(request, status=outcome.status, reason=outcome.reason)
    if outcome.reason == "under_way":
        response.headers["Retry-After"] = "1"
    return response


def _page(request: HttpRequest, *, status: int, reason: str) -> HttpResponse:
    return render(request, "identity/sso_refused.html", {"reason": reason}, status=status)
