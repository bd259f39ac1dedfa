"""`/admin/sso`: to the provider, and back from it."""

from typing import Any

from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views import View
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from connections_project.core.prefetches import is_prefetch
from connections_project.identity.admin_site import begin_operator_session
from connections_project.identity.login_attempts import (
    Attempt,
    TooManyAttemptsError,
    begin_single_sign_on,
    count_departure,
)
from connections_project.identity.models import User
from connections_project.identity.sign_in import record_operator
from connections_project.identity.single_sign_on import provider, states
from connections_project.identity.single_sign_on.backend import library_setting, redirect_uri
from connections_project.identity.single_sign_on.outcomes import Outcome, outcome_of
from connections_project.identity.single_sign_on.refusals import (
    REFUSED,
    outcome_of_error,
    page_of,
    record_refusal,
)
from connections_project.identity.single_sign_on.rights import RefusedError
from connections_project.middleware.trusted_proxies import client_address


class _SingleSignOnMixin(View):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Hide it where it is not set up, and say so where the provider is away."""
        if not settings.ADMIN_OIDC:
            raise Http404
        try:
            response = super().dispatch(request, *args, **kwargs)
        except TooManyAttemptsError as error:
            # Not in the audit log: whoever calls could fill it.
            response = page_of(request, Outcome(429, "too_many"))
            response.headers["Retry-After"] = str(error.retry_after)
        except REFUSED as error:
            response = self.refused(request, error)
        response.headers["Cache-Control"] = "no-store"
        return response

    def refused(self, request: HttpRequest, error: Exception) -> HttpResponse:
        return page_of(request, outcome_of_error(error))


class SignInView(_SingleSignOnMixin, OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Sends an operator to the provider."""

    known: provider.Metadata

    get_settings = staticmethod(library_setting)

    def __init__(self, **kwargs: Any) -> None:
        # The library's own would read the endpoint from settings.
        View.__init__(self, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        count_departure(address=client_address(request))
        # Once, and before the session is locked: what is known may run out in between, and no call
        # is made while a row is held.
        self.known = provider.metadata()
        self.OIDC_OP_AUTH_ENDPOINT = self.known.authorization_endpoint
        self.OIDC_RP_CLIENT_ID = provider.single_sign_on().client_id
        with states.locked_session(request):
            response: HttpResponse = super().get(request)
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:  # noqa: ARG002
        return {"redirect_uri": redirect_uri(), "scope": self.known.scopes}


class CallbackView(_SingleSignOnMixin, OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Lets an operator in who comes back from the provider."""

    attempt: Attempt
    user: User

    get_settings = staticmethod(library_setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        if is_prefetch(request):
            return page_of(request, Outcome(503, "prefetch"))
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
        outcome = outcome_of_error(error)
        record_refusal(request, outcome.reason, getattr(error, "user", None))
        return page_of(request, outcome)

    def _first(self, request: HttpRequest, state: str, taken: dict[str, Any]) -> HttpResponse:
        before = request.session.session_key
        try:
            self.user = _authenticated(request, taken)
            response = self._let_in(state, before)
        except Exception as error:
            # Be it a fault of ours: the state is spent, and a second delivery has none to wait for.
            states.refuse(request, state, outcome_of_error(error), before=before)
            raise
        self.attempt.excuse()
        return response

    def _let_in(self, state: str, before: str | None) -> HttpResponse:
        with transaction.atomic():
            response = self.login_success()
            outcome = Outcome(response.status_code, location=response["Location"])
            states.let_in(self.request.session, state, outcome, before=before)
        return response

    def _again(self, request: HttpRequest, state: str) -> HttpResponse:
        """Tell the browser how it went the first time that this state came."""
        outcome = outcome_of(request, state)
        if outcome is None:
            raise RefusedError("no_state")
        if outcome.location:
            self.attempt.excuse()
            return HttpResponseRedirect(outcome.location)
        return page_of(request, outcome)

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
