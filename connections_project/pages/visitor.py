"""Whose page it is: somebody who is signed in, or who came by a link."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit.record import Origin
from connections_project.connections.browser import cookie_value, keep_cookie
from connections_project.connections.flow import Return
from connections_project.identity.models import User
from connections_project.identity.origins import page_origin
from connections_project.pages.models import ConnectSession
from connections_project.pages.sessions import EndedSessionError, digest, session_of

# Insists on Secure, on this host alone and on the path "/" (RFC 6265bis, section 4.1.3).
COOKIE = "__Host-connect_session"
PAGE = "/connections"
# In the session of who has signed in: the digest of the cookie whose link counts no more.
LEFT = "connect_session_left"
# How much longer than its session: a browser that forgot it at once would be asked to sign in.
TOLD_SECONDS = 3600


@dataclass(frozen=True)
class Visitor:
    """A person at the page.

    Args:
        session: The link by which the person came; None for who is signed in.
    """

    user: User
    session: ConnectSession | None
    origin: Origin

    @property
    def return_url(self) -> str:
        """Where the application wants its person back; "" where it doesn't say."""
        return self.session.return_url if self.session else ""

    @property
    def returns(self) -> Return:
        """Where a flow that starts here goes back to."""
        back = self.return_url or PAGE
        if self.session is None:
            return Return(back)
        return Return(back, by_link=True, link_made_by=self.session.made_by_id)

    def is_offered(self, slug: str) -> bool:
        return not (self.session and self.session.platforms) or slug in self.session.platforms


def visitor_of(request: HttpRequest) -> Visitor | None:
    """Return who is at the page; of a link and a sign-in the later one counts, as the intent.

    Raises:
        EndedSessionError: The browser has opened a link that is over.
    """
    browser = browser_of(request)
    if browser is None or request.session.get(LEFT) == digest(browser):
        return _visitor(request, None)
    return _visitor(request, session_of(browser))


def present_visitor(request: HttpRequest) -> Visitor | None:
    """Return who is here before a link is opened; one that is over speaks for nobody."""
    try:
        return visitor_of(request)
    except EndedSessionError:
        return _visitor(request, None)


def _visitor(request: HttpRequest, session: ConnectSession | None) -> Visitor | None:
    user = session.user if session else request.user
    if not isinstance(user, User):
        return None
    return Visitor(user, session, page_origin(request, user))


def leave_link(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Leave a link that is over or another's, once somebody has signed in (`user_logged_in`)."""
    browser = browser_of(request)
    if browser is None:
        return
    try:
        is_own = session_of(browser).user == user
    except EndedSessionError:
        is_own = False
    if not is_own:
        request.session[LEFT] = digest(browser)


def browser_of(request: HttpRequest) -> str | None:
    """Return the value that ties a link's session to this browser."""
    return cookie_value(request, COOKIE)


def browser_for_link(request: HttpRequest) -> str:
    return browser_of(request) or secrets.token_urlsafe(32)


def set_cookie(response: HttpResponseBase, browser: str) -> None:
    seconds = settings.CONNECT_SESSION_SECONDS + TOLD_SECONDS
    keep_cookie(response, COOKIE, browser, seconds=seconds)
