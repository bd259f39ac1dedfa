"""What the callback page said of a state, for the browser that brings the same one again.

Browsers, and programs that look at links before people do, deliver a callback twice. Only the
browser in which the flow was started, by its cookie, learns how it went the first time.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings

from connections_project.connections.flow import FlowPreview, states
from connections_project.oauth.state import StateStoreUnavailable

logger = logging.getLogger(__name__)

# How long a second delivery waits for the first one to end.
LONGEST_WAIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_KEY = "outcome of {}"
_UNDER_WAY_KEY = "under way: {}"


@dataclass(frozen=True)
class Outcome:
    """How a flow ended: an HTTP status, a heading and a sentence."""

    status: int
    title: str
    text: str


UNDER_WAY = Outcome(503, "This is still under way", "Please load this page again in a while.")


def begin(state: str, preview: FlowPreview) -> None:
    """Say that a state is being gone through with.

    Raises:
        StateStoreUnavailable: The cache is away.
    """
    _keep(_UNDER_WAY_KEY, state, preview, UNDER_WAY)


def end(state: str, preview: FlowPreview, outcome: Outcome) -> None:
    """Keep what a state has led to, for as long as a state is good."""
    try:
        _keep(_KEY, state, preview, outcome)
    except StateStoreUnavailable:
        # What has happened has happened: the person is told, if only once.
        logger.warning("The outcome of a flow is not kept: the state store is away.")


def _keep(key: str, state: str, preview: FlowPreview, outcome: Outcome) -> None:
    kept = {"preview": preview.as_json(), "outcome": vars(outcome)}
    states.put(key.format(state), kept, seconds=settings.OAUTH_STATE_SECONDS)


def outcome_of(state: str, *, slug: str, browser: str | None) -> Outcome | None:
    """Return how it went the first time, which is waited for; None where it is not told.

    Args:
        state: As it came back.
        slug: The platform that the page's address names.
        browser: The cookie's value.

    Raises:
        StateStoreUnavailable: The cache is away.
    """
    ends_at = time.monotonic() + LONGEST_WAIT_SECONDS
    while (kept := _look(state, slug, browser)) == UNDER_WAY and time.monotonic() < ends_at:
        time.sleep(_PAUSE_SECONDS)
    return kept


def _look(state: str, slug: str, browser: str | None) -> Outcome | None:
    kept = states.peek(_KEY.format(state)) or states.peek(_UNDER_WAY_KEY.format(state))
    if kept is None:
        return None
    preview = FlowPreview.from_json(kept["preview"])
    is_told = preview.slug == slug and preview.was_started_in(browser)
    return Outcome(**kept["outcome"]) if is_told else None
