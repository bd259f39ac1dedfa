"""`/oauth/callback/{slug}`: where platforms send people who have no front end of their own.

Against planted links it goes on only in the browser in which the flow was started, or for the
state's own principal; anybody else's browser gets no further than a page (RFC 9700, section 4.7).
"""

from http import HTTPStatus
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from connections_project.api.errors import ApiException
from connections_project.api.parsers import UNSTORABLE
from connections_project.api.rate_limits import PROVIDER_CONNECT
from connections_project.api.throttling import set_rate_limit_headers, throttle
from connections_project.connections import errors, flow, outcomes
from connections_project.connections.browser import browser_of
from connections_project.connections.callback import authorization_response
from connections_project.connections.flow import Answer, FlowPreview
from connections_project.connections.outcomes import Outcome as Words
from connections_project.connections.registry import connection_type
from connections_project.connections.throttling import callback_bucket, connect_policy
from connections_project.core import vault
from connections_project.identity.models import User
from connections_project.identity.origins import origin_of
from connections_project.oauth.catalog import Platform
from connections_project.oauth.state import StateStoreUnavailable
from connections_project.platforms.registry import (
    PlatformBusyError,
    PlatformUnavailableError,
    UnknownPlatformError,
    upstream,
)

# The query parameter that leads back from the sign-in.
SEALED = "sealed"

START_AGAIN = "Go back to where you came from and start connecting again."
RELOAD = "Nothing was connected yet. Please load this page again in a few seconds."
LATER = "Nothing was connected. Please try again in a few minutes."


REFUSALS: dict[type[Exception], Words] = {
    errors.InvalidStateError: Words(400, "This link is no longer good", START_AGAIN),
    errors.AuthorizationDeclinedError: Words(
        400, "Access was not granted", "Nothing was connected. You can start again at any time."
    ),
    errors.IssuerMismatchError: Words(
        400, "This answer comes from somebody else", f"Nothing was sent there. {START_AGAIN}"
    ),
    errors.AccountMismatchError: Words(
        400, "This is another account", "Sign in there with the account that you connected before."
    ),
    # Nothing is refused to a person here: the connection there is has taken the fresh credentials.
    errors.AlreadyConnectedError: Words(
        200, "This account is connected already", "Its access has been renewed."
    ),
    errors.ConnectFailedError: Words(502, "The platform did not complete the connection", LATER),
    PlatformUnavailableError: Words(503, "This platform can't be used at the moment", LATER),
    PlatformBusyError: Words(503, "This platform does not answer in time", RELOAD),
    UnknownPlatformError: Words(400, "This platform can't be connected", START_AGAIN),
    StateStoreUnavailable: Words(503, "Connecting is not possible at the moment", LATER),
}
INCOMPLETE = Words(400, "This link is incomplete", START_AGAIN)
SIGN_IN = Words(
    400,
    "Is it you who is connecting?",
    "This connection was started in another browser. Sign in to go on, or close this page if you "
    "did not start it.",
)
SOMEBODY_ELSE = Words(
    403,
    "You are signed in as somebody else",
    "This connection was started by another user, and has been cancelled.",
)
NOTHING = Words(
    200,
    "Nothing was connected",
    "These accounts were disconnected before, and stay so. To have one back, choose it when you "
    "start connecting.",
)
PREFETCH = Words(503, "Not yet", "This link is good once, and nobody has followed it yet.")
TOO_MANY = Words(429, "Too many tries", "Please wait a minute and start connecting again.")


@method_decorator(csrf_exempt, name="dispatch")  # It only reads, and refuses all else by a 405.
class CallbackPage(View):
    """Completes a flow in the browser and says in words what happened."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        found = upstream(slug)
        if found is None:
            raise Http404
        if _is_prefetch(request):
            return _page(request, PREFETCH)
        try:
            response = self.answer(request, found.platform)
        except tuple(REFUSALS) as problem:
            response = _page(request, REFUSALS[type(problem)])
            if isinstance(problem, PlatformBusyError):
                response["Retry-After"] = str(problem.retry_after)
        except ApiException as refused:
            response = _page(request, TOO_MANY)
            for name, value in refused.fault.headers.items():
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
    signed_in = request.user if isinstance(request.user, User) else None
    if signed_in is None and not preview.was_started_in(browser_of(request)):
        return _page(request, SIGN_IN, sign_in=_sign_in_address(request))
    outcomes.begin(state, preview)
    try:
        words = _outcome(request, platform, preview, state, answer)
    except errors.InvalidStateError:
        # The same callback came twice at once, and the other one has taken the state.
        return _again(request, platform, state)
    except BaseException:
        # The state can still be used, or nobody knows what came of it: this is no outcome.
        outcomes.abandon(state)
        raise
    outcomes.end(state, preview, words)
    return _page(request, words)


def _outcome(
    request: HttpRequest, platform: Platform, preview: FlowPreview, state: str, answer: Answer
) -> Words:
    try:
        return _complete(request, platform, preview, state, answer)
    except PlatformBusyError:
        raise
    except tuple(REFUSALS) as problem:
        if getattr(problem, "was_used", False):
            raise
        return REFUSALS[type(problem)]


def _again(request: HttpRequest, platform: Platform, state: str) -> HttpResponse:
    """Tell the flow's own browser how it went the first time that this state came."""
    told = outcomes.outcome_of(state, slug=platform.slug, browser=browser_of(request))
    if told is None:
        raise errors.InvalidStateError
    response = _page(request, told)
    if told == outcomes.UNDER_WAY:
        response["Retry-After"] = "1"
    return response


def _complete(
    request: HttpRequest, platform: Platform, preview: FlowPreview, state: str, answer: Answer
) -> Words:
    signed_in = request.user if isinstance(request.user, User) else None
    try:
        # Whoever is signed in must be the state's principal, as with a Bearer at the API; if it is
        # somebody else, the verb burns the state and audits that.
        connected = connection_type(preview.app).complete(
            state=state, answer=answer, caller=signed_in, origin=origin_of(request)
        )
    except errors.InvalidStateError:
        if signed_in is None or signed_in.pk == preview.principal_id:
            raise
        return SOMEBODY_ELSE
    if connected == []:
        return NOTHING
    text = "You can close this page."
    return Words(HTTPStatus.OK, f"{platform.name} is connected", text)


def _is_prefetch(request: HttpRequest) -> bool:
    """Whether nobody looks at the page yet (Fetch Standard, `Sec-Purpose`; older: `Purpose`)."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose"))
    return any("prefetch" in purpose.lower() for purpose in purposes)


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


def _page(request: HttpRequest, words: Words, *, sign_in: str = "") -> HttpResponse:
    context = {"title": words.title, "text": words.text, "sign_in": sign_in}
    response = render(request, "oauth/callback.html", context, status=words.status)
    # The address holds code and state: nobody else may learn it, and no cache may keep the page.
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
