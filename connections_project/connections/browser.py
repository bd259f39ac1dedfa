"""The cookie that ties a flow to the browser it was started in.

Without it, anybody could have a victim's browser finish a flow of their own and so plant their
account on the victim, or the other way round (RFC 9700, section 4.7).
"""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# The prefix makes browsers insist on Secure, on this host alone and on the path "/" (RFC 6265bis).
COOKIE = "__Host-oauth_flow"
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


def cookie_value(request: HttpRequest, name: str) -> str | None:
    """Return a cookie's value, if the browser bears one that can be ours."""
    value = request.COOKIES.get(name, "")
    return value if _VALUE.fullmatch(value) else None


def keep_cookie(response: HttpResponseBase, name: str, value: str, *, seconds: int) -> None:
    """Have the browser keep a value that scripts can't read, and other sites' forms don't send."""
    response.set_cookie(name, value, max_age=seconds, secure=True, httponly=True, samesite="Lax")


def browser_of(request: HttpRequest) -> str | None:
    """Return the value that ties a flow to this browser."""
    return cookie_value(request, COOKIE)


def browser_for_start(request: HttpRequest) -> str:
    """Return the value for a new flow: the browser's own, so that flows in two tabs end well."""
    return browser_of(request) or secrets.token_urlsafe(32)


def set_cookie(response: HttpResponseBase, browser: str) -> None:
    keep_cookie(response, COOKIE, browser, seconds=settings.OAUTH_STATE_SECONDS)
