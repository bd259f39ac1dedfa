"""Browsers in which somebody has signed in before: strangers who guess don't lock them out.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import hashlib
import secrets

from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from connections_project.identity.fields import normal_email

COOKIE = "__Host-known_browser"
SECONDS = 90 * 24 * 3600
_SALT = "connections_project.identity.known_browsers"


def remember_browser(response: HttpResponseBase, *, email: str) -> None:
    """Have the browser keep a proof, under a name of its own, that this e-mail signed in there."""
    value = signing.dumps([_digest(email), secrets.token_urlsafe(16)], salt=_SALT)
    response.set_cookie(
        COOKIE, value, max_age=SECONDS, secure=True, httponly=True, samesite="Strict"
    )


def known_browser(request: HttpRequest, *, email: str) -> str | None:
    """Return the name of a browser in which this e-mail has signed in; None for any other."""
    try:
        whose, name = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return str(name) if whose == _digest(email) else None


def _digest(email: str) -> str:
    return hashlib.sha256(normal_email(email).encode()).hexdigest()
