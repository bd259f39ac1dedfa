"""How sign-ins ended, kept in the browser's session, which may deliver a callback twice."""

import time
from dataclasses import asdict, dataclass, field

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from connections_project.core import clock

# How long a second delivery waits for the first one to end, whose thread it takes meanwhile.
LONGEST_WAIT_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
# Longer than a sign-in's calls take; a process that dies with one leaves its mark for no longer.
UNDER_WAY_SECONDS = 60
KEPT_SECONDS = 600
_OUTCOMES = "sso_outcomes"


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


def keep(session: SessionBase, state: str, outcome: Outcome) -> None:
    """Keep how the sign-in of a state ended; whoever calls stores the session."""
    since = clock.now().timestamp() - KEPT_SECONDS
    kept = session.get(_OUTCOMES, {}).items()
    recent = {one: known for one, known in kept if known["at"] > since}
    session[_OUTCOMES] = {**recent, state: asdict(outcome)}


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
