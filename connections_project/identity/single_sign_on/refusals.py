"""Whom single sign-on does not let in: why, in the audit log and on a page."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from audit import events
from audit.events import Action, ActorType, Interface
from audit.record import Origin
from connections_project.identity.models import User
from connections_project.identity.records import record_about_user
from connections_project.identity.single_sign_on import provider
from connections_project.identity.single_sign_on.outcomes import Outcome
from connections_project.identity.single_sign_on.rights import RefusedError
from connections_project.middleware.trusted_proxies import client_address

# Statuses and words of the audit log; RefusedError brings its own word.
_REFUSALS: dict[type[Exception], tuple[int, str]] = {
    provider.ProviderUnavailableError: (503, "unavailable"),
    provider.BadCodeError: (403, "bad_code"),
    provider.BadIdTokenError: (403, "bad_id_token"),
}
REFUSED: tuple[type[Exception], ...] = (RefusedError, *_REFUSALS)


def outcome_of_error(error: Exception) -> Outcome:
    """Return how a sign-in ended by an error; one that is none of REFUSED is a fault of ours."""
    if isinstance(error, RefusedError):
        return Outcome(403, error.reason)
    return Outcome(*_REFUSALS.get(type(error), (500, "failed")))


def record_refusal(request: HttpRequest, reason: str, user: User | None) -> None:
    """Record that somebody was not let in, and why, in a word."""
    with transaction.atomic():
        record_about_user(
            Action.LOGIN_FAILED,
            user.pk if user else None,
            origin=Origin(ActorType.USER, None, Interface.ADMIN, client_address(request)),
            outcome=events.Outcome.FAILURE,
            reason=reason,
            details={"by": "single sign-on"},
        )


def page_of(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    """Return the page that lets nobody in."""
    context = {"reason": outcome.reason}
    response = render(request, "identity/sso_refused.html", context, status=outcome.status)
    if outcome.reason == "under_way":
        response.headers["Retry-After"] = "1"
    return response
