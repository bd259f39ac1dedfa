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


def browser_of(request: HttpRequest) -> str | None:
    """Return the cookie's value, if the browser bears one that can be ours."""
    value = request.COOKIES.get(COOKIE, "")
    return value if _VALUE.fullmatch(value) else None


def browser_for_start(request: HttpRequest) -> str:
    """Return the value for a new flow: the browser's own, so that flows in two tabs end well."""
    return browser_of(request) or secrets.token_urlsafe(32)


def is_prefetch(request: HttpRequest) -> bool:
    """Whether nobody looks at the page yet (Fetch Standard, `Sec-Purpose`; older: `Purpose`)."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose"))
    return any("prefetch" in purpose.lower() for purpose in purposes)


def set_cookie(response: HttpResponseBase, browser: str) -> None:
    response.set_cookie(
        COOKIE,
        browser,
        max_age=settings.OAUTH_STATE_SECONDS,
        secure=True,
        httponly=True,
        samesite="Lax",
    )
