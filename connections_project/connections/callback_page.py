"""`/oauth/callback/{slug}`: where platforms send people who have no front end of their own.

Against planted links it goes on only in the browser in which the flow was started, or for the
state's own principal; anybody else's browser gets no further than a page (RFC 9700, section 4.7).
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from connections_project.api.errors import ApiException
from connections_project.api.parsers import UNSTORABLE
from connections_project.api.rate_limits import PROVIDER_CONNECT
from connections_project.api.throttling import set_rate_limit_headers, throttle
from connections_project.connections import errors, flow, outcomes
from connections_project.connections.browser import browser_of
from connections_project.connections.callback import authorization_response
from connections_project.connections.callback_words import (
    ALREADY,
    CLOSE,
    CONNECTED,
    INCOMPLETE,
    NOTHING,
    PREFETCH,
    REFUSALS,
    RENEWED,
    SIGN_IN,
    SOMEBODY_ELSE,
    TOO_MANY,
)
from connections_project.connections.flow import Answer, FlowPreview
from connections_project.connections.outcomes import Outcome
from connections_project.connections.registry import connection_type
from connections_project.connections.throttling import callback_bucket, connect_policy
from connections_project.core import vault
from connections_project.core.languages import localized
from connections_project.core.prefetches import is_prefetch
from connections_project.identity.models import User
from connections_project.identity.origins import origin_of, page_origin
from connections_project.oauth.catalog import Platform
from connections_project.platforms.registry import PlatformBusyError, upstream

# The query parameter that leads back from the sign-in.
SEALED = "sealed"


@method_decorator(localized, name="dispatch")
@method_decorator(csrf_exempt, name="dispatch")  # It only reads, and refuses all else by a 405.
class CallbackPage(View):
    """Completes a flow in the browser and says in words what happened."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        found = upstream(slug)
        if found is None:
            raise Http404
        if is_prefetch(request):
            return _page(request, PREFETCH)
        try:
            response = self.answer(request, found.platform)
        except tuple(REFUSALS) as problem:
            response = _page(request, REFUSALS[type(problem)])
            if isinstance(problem, PlatformBusyError):
                response["Retry-After"] = str(problem.retry_after)
        except ApiException as refused:
            response = _page(request, TOO_MANY)
            for name, value in refused.error.headers.items():
                response[name] = value
        set_rate_limit_headers(request, response)
        return response

    def answer(self, request: HttpRequest, platform: Platform) -> HttpResponse:
        if not _unseal(request):
            return _page(request, INCOMPLETE)
        state = request.GET.get("state", "")
        preview = flow.peek(state) if state else None
        policy = connect_policy(preview.principal_type) if preview else PROVIDER_CONNECT
        throttle(request, policy, callback_bucket(request, preview))
        answer = authorization_response(request.GET)
        if not state or (answer.code is None and answer.error is None) or _is_damaged(answer):
            return _page(request, INCOMPLETE)
        # The address names the platform, so that one can't speak for another (RFC 9700, 4.4.2.2).
        if preview is None:
            return _again(request, platform, state)
        if preview.slug != platform.slug:
            raise errors.InvalidStateError
        return _go_on(request, platform, preview, state, answer)


def _go_on(
    request: HttpRequest, platform: Platform, preview: FlowPreview, state: str, answer: Answer
) -> HttpResponse:
    if _caller(request, preview) is None and not preview.was_started_in(browser_of(request)):
        return _page(request, SIGN_IN, sign_in=_sign_in_address(request))
    outcomes.begin(state, preview)
    try:
        outcome = _outcome(request, platform, preview, state, answer)
    except errors.InvalidStateError:
        # The same callback came twice at once, and the other one has taken the state.
        return _again(request, platform, state)
    except BaseException:
        # The state can still be used, or nobody knows what came of it: this is no outcome.
        outcomes.abandon(state)
        raise
    outcomes.end(state, preview, outcome)
    return _end(request, preview, outcome)


def _outcome(
    request: HttpRequest, platform: Platform, preview: FlowPreview, state: str, answer: Answer
) -> Outcome:
    try:
        return _complete(request, platform, preview, state, answer)
    except PlatformBusyError:
        raise
    except tuple(REFUSALS) as problem:
        if getattr(problem, "was_used", False):
            raise
        return REFUSALS[type(problem)]


def _caller(request: HttpRequest, preview: FlowPreview) -> User | None:
    """Return who is signed in; nobody where that has nothing to do with the flow."""
    if preview.returns and preview.returns.by_link:
        return None
    return request.user if isinstance(request.user, User) else None


def _end(request: HttpRequest, preview: FlowPreview, outcome: Outcome) -> HttpResponse:
    """Say how a flow ended, or go back to where it was started."""
    if preview.returns is None or not preview.was_started_in(browser_of(request)):
        return _page(request, outcome)
    back = preview.returns.url
    if not urlsplit(back).netloc:
        level = messages.SUCCESS if outcome.result == "connected" else messages.WARNING
        messages.add_message(
            request, level, f"{gettext(outcome.title)}. {outcome.text and gettext(outcome.text)}"
        )
    query = urlencode({"connection_id": outcome.connection_id, "status": outcome.result})
    response = HttpResponseRedirect(f"{back}{'&' if '?' in back else '?'}{query}")
    # Where it leads to learns nothing of the code and the state.
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def _again(request: HttpRequest, platform: Platform, state: str) -> HttpResponse:
    """Tell the flow's own browser how it went the first time that this state came."""
    found = outcomes.outcome_of(state, slug=platform.slug, browser=browser_of(request))
    if found is None:
        raise errors.InvalidStateError
    preview, outcome = found
    if outcome != outcomes.UNDER_WAY:
        return _end(request, preview, outcome)
    response = _page(request, outcome)
    response["Retry-After"] = "1"
    return response


def _complete(
    request: HttpRequest, platform: Platform, preview: FlowPreview, state: str, answer: Answer
) -> Outcome:
    caller = _caller(request, preview)
    origin = page_origin(request, caller) if preview.returns else origin_of(request)
    try:
        # Whoever is signed in must be the state's principal, as with a Bearer at the API; if it is
        # somebody else, the verb uses the state up and audits that.
        connected = connection_type(preview.app).complete(
            state=state, answer=answer, caller=caller, origin=origin
        )
    except errors.AlreadyConnectedError as known:
        return _connected(known.connection_id, ALREADY, RENEWED)
    except errors.InvalidStateError:
        if caller is None or caller.pk == preview.principal_id:
            raise
        return SOMEBODY_ELSE
    rows: list[Any] = connected if isinstance(connected, list) else [connected]
    if not rows:
        return NOTHING
    title = gettext(CONNECTED) % {"platform": platform.name}
    text = "" if preview.returns else CLOSE
    return _connected(rows[0].pk, title, text)


def _connected(connection_id: UUID, title: str, text: str) -> Outcome:
    return Outcome(HTTPStatus.OK, title, text, "connected", str(connection_id))


def _is_damaged(answer: Answer) -> bool:
    """Whether it holds what no platform sends and no database takes."""
    return any(UNSTORABLE.search(text or "") for text in (answer.code, answer.error, answer.iss))


def _sign_in_address(request: HttpRequest) -> str:
    """Lead to the sign-in and back, with code and state sealed: no page may show them."""
    query = {"query": request.GET.urlencode()}
    sealed = vault.seal(query, subject=f"callback:{request.path}").ciphertext
    back = f"{request.path}?{urlencode({SEALED: sealed})}"
    return f"{reverse('sign-in')}?{urlencode({'next': back})}"


def _unseal(request: HttpRequest) -> bool:
    """Restore the first request's query after the sign-in; False where there is none."""
    if SEALED not in request.GET:
        return True
    sealed = vault.Sealed(request.GET[SEALED])
    try:
        query = vault.open_sealed(sealed, subject=f"callback:{request.path}")["query"]
    except vault.DecryptionError:
        return False
    request.GET = QueryDict(query)
    return True


def _page(request: HttpRequest, outcome: Outcome, *, sign_in: str = "") -> HttpResponse:
    title, text = (one and gettext(one) for one in (outcome.title, outcome.text))
    context = {"title": title, "text": text, "sign_in": sign_in}
    response = render(request, "oauth/callback.html", context, status=outcome.status)
    # The address holds code and state: nobody else may learn it, and no cache may keep the page.
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
