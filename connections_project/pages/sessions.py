"""Connect sessions: begun for a person, opened by one browser, forgotten when they are over."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from audit.events import Action
from audit.record import Origin, record
from connections_project.core import clock
from connections_project.identity.models import User
from connections_project.pages.models import ConnectSession


class EndedSessionError(Exception):
    """The link is unknown or over, or another browser has opened it."""


@dataclass(frozen=True)
class Link:
    """What is handed out of a session; the address holds its token."""

    url: str = field(repr=False)
    expires_in: int


def begin(
    *, user: User, made_by: User, platforms: Sequence[str], return_url: str, origin: Origin
) -> Link:
    """Begin a session for a person, who need not be who asks.

    Args:
        made_by: Who asks, with whom the link ends.
        platforms: Slugs of what is offered; none for all.
        return_url: Where the person goes when a flow is over; "" for back to the page.
    """
    token, now = secrets.token_urlsafe(32), clock.now()
    seconds = settings.CONNECT_SESSION_SECONDS
    with transaction.atomic():
        session = ConnectSession.objects.create(
            user=user,
            made_by=made_by,
            token_sha256=digest(token),
            platforms=list(platforms),
            return_url=return_url,
            created_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
        _record(Action.CONNECT_SESSION_CREATED, session, origin)
    # In the query, which no access log has.
    return Link(f"{settings.PUBLIC_URL}/connections?session={token}", seconds)


def find_openable(token: str, *, browser: str | None) -> ConnectSession:
    """Return the session that a link would open, without using it up.

    Args:
        browser: The cookie's value; None where the browser bears none.

    Raises:
        EndedSessionError: It would open none in this browser.
    """
    unopened, mine = Q(browser_sha256=None), Q(browser_sha256=digest(browser or ""))
    rows = ConnectSession.objects.filter(unopened | mine, token_sha256=digest(token))
    session = rows.select_related("user", "made_by").first()
    if session is None or not session.is_good(now=clock.now()):
        raise EndedSessionError
    return session


def open_session(token: str, *, browser: str, origin: Origin) -> ConnectSession:
    """Open a session in the browser that bears this cookie; of two browsers the first one has it.

    Raises:
        EndedSessionError: It is not, or no longer, this browser's.
    """
    now, mine = clock.now(), digest(browser)
    rows = ConnectSession.objects.filter(token_sha256=digest(token))
    with transaction.atomic():
        is_first = rows.filter(browser_sha256=None, expires_at__gt=now).update(browser_sha256=mine)
        rows.filter(browser_sha256=mine).update(opened_at=now)
        session = rows.select_related("user", "made_by").filter(browser_sha256=mine).first()
        if session is None or not session.is_good(now=now):
            raise EndedSessionError
        if is_first:
            _record(Action.CONNECT_SESSION_OPENED, session, origin)
    return session


def session_of(browser: str) -> ConnectSession:
    """Return the session that a browser has opened last.

    Raises:
        EndedSessionError: It is over.
    """
    rows = ConnectSession.objects.filter(browser_sha256=digest(browser))
    session = rows.select_related("user", "made_by").order_by("-opened_at").first()
    if session is None or not session.is_good(now=clock.now()):
        raise EndedSessionError
    return session


def forget_ended_sessions() -> int:
    """Delete sessions that are over; a while later, so that their browsers are still told so."""
    limit = clock.now() - timedelta(days=1)
    forgotten, _ = ConnectSession.objects.filter(expires_at__lte=limit).delete()
    return forgotten


def digest(text: str) -> str:
    """Return the SHA-256 by which a token or a cookie is found; of any text that may come."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _record(action: Action, session: ConnectSession, origin: Origin) -> None:
    record(
        action,
        origin=origin,
        subject_type="user",
        subject_id=session.user_id,
        subject_owner_id=session.user_id,
        details={"connect_session": str(session.pk), "platforms": session.platforms},
    )
