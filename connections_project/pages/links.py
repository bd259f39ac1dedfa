"""Links to a person's page: opened at once or after a question, and left."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views import View

from connections_project.connections.callback_words import PREFETCH
from connections_project.core.languages import localized
from connections_project.core.prefetches import is_prefetch
from connections_project.identity.models import User
from connections_project.identity.origins import page_origin
from connections_project.pages import sessions, visitor
from connections_project.pages.base import ended_page, guarded
from connections_project.pages.sessions import EndedSessionError


@localized
def follow_link(request: HttpRequest) -> HttpResponseBase:
    """Open a link in this browser, unless it would take somebody who is here for another.

    Without the question anybody could have people connect their accounts to a stranger's page, by
    sending them a link to it (login CSRF: RFC 6749, section 10.12).
    """
    if is_prefetch(request):
        text = {"title": gettext(PREFETCH.title), "text": gettext(PREFETCH.text)}
        return guarded(render(request, "oauth/callback.html", text, status=PREFETCH.status))
    token, here = request.GET["session"], visitor.present_visitor(request)
    try:
        owner = sessions.find_openable(token, browser=visitor.browser_of(request)).user
    except EndedSessionError:
        return ended_page(request)
    if here is None or here.user == owner:
        return _open(request, token)
    return _ask(request, {"visitor": here, "owner": owner, "token": token})


def _ask(request: HttpRequest, context: dict[str, object]) -> HttpResponseBase:
    response = render(request, "pages/open.html", context)
    # The address bears the token, and a form sent under `no-referrer` no origin (Fetch Standard,
    # section 3.2.5), which the CSRF guard refuses.
    response.headers["Referrer-Policy"] = "strict-origin"
    return guarded(response)


def _open(request: HttpRequest, token: str) -> HttpResponseBase:
    """Open a link, and show its page under an address without the token."""
    browser = visitor.browser_for_link(request)
    try:
        sessions.open_session(token, browser=browser, origin=page_origin(request, None))
    except EndedSessionError:
        return ended_page(request)
    request.session.pop(visitor.LEFT, None)
    response = redirect("connections")
    visitor.set_cookie(response, browser)
    response.headers["Referrer-Policy"] = "no-referrer"
    return guarded(response)


@method_decorator(localized, name="dispatch")
class OpenPage(View):
    """Opens a link after all, for who was asked."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        return _open(request, request.POST.get("session", ""))


@method_decorator(localized, name="dispatch")
class LeavePage(View):
    """Leaves a page that was opened by a link: the browser forgets it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase
        if isinstance(request.user, User):
            response = redirect("connections")
        else:
            response = render(request, "pages/left.html")
        response.delete_cookie(visitor.COOKIE, samesite="Lax")
        response.cookies[visitor.COOKIE]["secure"] = True
        return guarded(response)
