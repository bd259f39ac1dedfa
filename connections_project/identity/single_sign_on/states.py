"""States of sign-ins in the browser's session: each is taken once, and how it ended is kept.

Browsers deliver a callback twice, be it at once. The session's row is the lock, since Redis may be
away.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from connections_project.core import clock

# How long a second delivery waits for the first one to end, whose thread it takes meanwhile.
LONGEST_WAIT_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
# Longer than a sign-in's calls take; a process that dies with one leaves its mark for no longer.
UNDER_WAY_SECONDS = 60
KEPT_SECONDS = 600
# The library's key (mozilla_django_oidc.utils), and ours.
_STATES, _OUTCOMES = "oidc_states", "sso_outcomes"


@dataclass(frozen=True)
class Outcome:
    """How a sign-in ended, or that it has not yet.

    Args:
        status: The answer's HTTP status.
        reason: Why somebody was not let in, in a word.
        location: Where whoever was let in has been led to.
        at: When, in seconds since 1970.
    """

    status: int
    reason: str = ""
    location: str = ""
    at: float = field(default_factory=lambda: clock.now().timestamp())


@contextmanager
def locked_session(request: HttpRequest) -> Iterator[SessionBase]:
    """Read a browser's session anew, and store what is changed in it before another one can."""
    key = request.session.session_key
    with transaction.atomic():
        Session.objects.select_for_update().filter(pk=key).first()
        session = request.session = type(request.session)(key)
        yield session
        if session.modified:
            session.save()
    # Only a new one needs a cookie; stored again, the others would undo what came in between.
    session.modified = session.session_key != key


def take(request: HttpRequest, state: str) -> dict[str, Any] | None:
    """Take a state from the browser's session, for one of many at once.

    Returns:
        `nonce` and `code_verifier`; None where it isn't there, or no longer.
    """
    with locked_session(request) as session:
        states = session.get(_STATES, {})
        taken: dict[str, Any] | None = states.pop(state, None)
        if taken is not None:
            session[_STATES] = states
            _keep(session, state, Outcome(503, "under_way"))
    # What other tabs store during the calls is not to be undone afterwards.
    request.session = type(request.session)(session.session_key)
    return taken


def refuse(request: HttpRequest, state: str, outcome: Outcome) -> None:
    """Keep why the sign-in of a taken state has let nobody in."""
    with locked_session(request) as session:
        _keep(session, state, outcome)


def let_in(session: SessionBase, state: str, outcome: Outcome, *, before: str | None) -> None:
    """Keep where a taken state has led; in the transaction of the sign-in.

    That renews the session: a delivery that set out with the one of before finds the outcome there,
    and nothing else.

    Args:
        session: The one of whoever is in by now.
        before: Key of the session in which the state was taken.
    """
    _keep(session, state, outcome)
    if before and before != session.session_key:
        left = type(session)(before)
        left.clear()
        _keep(left, state, outcome)
        left.set_expiry(KEPT_SECONDS)
        left.save(must_create=True)


def outcome_of(request: HttpRequest, state: str) -> Outcome | None:
    """Wait for the outcome of a state's first delivery; None where this browser has none."""
    ends_at = time.monotonic() + LONGEST_WAIT_SECONDS
    found = _kept(request.session, state)
    while found and found.reason == "under_way" and time.monotonic() < ends_at:
        time.sleep(_PAUSE_SECONDS)
        request.session = type(request.session)(request.session.session_key)
        found = _kept(request.session, state)
    return found


def _kept(session: SessionBase, state: str) -> Outcome | None:
    kept = session.get(_OUTCOMES, {}).get(state)
    found = Outcome(**kept) if kept else None
    seconds = UNDER_WAY_SECONDS if found and found.reason == "under_way" else KEPT_SECONDS
    return found if found and found.at > clock.now().timestamp() - seconds else None


def _keep(session: SessionBase, state: str, outcome: Outcome) -> None:
    since = clock.now().timestamp() - KEPT_SECONDS
    kept = session.get(_OUTCOMES, {}).items()
    recent = {one: known for one, known in kept if known["at"] > since}
    session[_OUTCOMES] = {**recent, state: asdict(outcome)}
