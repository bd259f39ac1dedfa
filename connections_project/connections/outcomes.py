"""Outcomes of the callback page, kept for a browser that brings the same state again.

Browsers, and programs that look at links before people do, deliver a callback twice. Only the
browser in which the flow was started, by its cookie, learns how it went the first time.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from connections_project.connections.flow import FlowPreview, state_store
from connections_project.oauth.state import StateStoreUnavailable

logger = logging.getLogger(__name__)

# How long a second delivery waits for the first one to end, whose thread it takes meanwhile.
LONGEST_WAIT_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
# Longer than a flow's calls take; a process that dies with one leaves its mark for no longer.
UNDER_WAY_SECONDS = 60

_outcomes = state_store("outcome")
_under_way = state_store("under_way")


@dataclass(frozen=True)
class Outcome:
    """How a flow ended: an HTTP status, a heading and a sentence.

    Args:
        result: "connected", "declined" or "failed", for whoever started the flow.
    """

    status: int
    title: str
    text: str
    result: str = "failed"
    connection_id: str = ""


FlowOutcome = tuple[FlowPreview, Outcome]

UNDER_WAY = Outcome(
    503,
    gettext_noop("This is still under way"),
    gettext_noop("Please load this page again in a while."),
)


def begin(state: str, preview: FlowPreview) -> None:
    """Mark a state's flow as under way.

    Raises:
        StateStoreUnavailable: The cache is away.
    """
    kept = _kept(preview, UNDER_WAY)
    _under_way.put(state, kept, seconds=min(UNDER_WAY_SECONDS, settings.OAUTH_STATE_SECONDS))


def end(state: str, preview: FlowPreview, outcome: Outcome) -> None:
    """Keep the outcome of a state's flow for as long as states are valid."""
    try:
        _outcomes.put(state, _kept(preview, outcome), seconds=settings.OAUTH_STATE_SECONDS)
    except StateStoreUnavailable:
        # The flow itself is over: the person sees its outcome now, though not a second time.
        logger.warning("The outcome of a flow is not kept: the state store is away.")


def abandon(state: str) -> None:
    """Mark a state's flow as no longer under way, without an outcome."""
    try:
        _under_way.consume(state)
    except StateStoreUnavailable:
        logger.warning("A flow is taken to be under way for a while: the state store is away.")


def _kept(preview: FlowPreview, outcome: Outcome) -> dict[str, Any]:
    return {"preview": preview.as_json(), "outcome": vars(outcome)}


def outcome_of(state: str, *, slug: str, browser: str | None) -> FlowOutcome | None:
    """Wait for the outcome of a state's first callback; None where there is none for this browser.

    Args:
        slug: The platform that the page's address names.
        browser: The cookie's value.

    Raises:
        StateStoreUnavailable: The cache is away.
    """
    ends_at = time.monotonic() + LONGEST_WAIT_SECONDS
    found = _kept_outcome(state, slug, browser)
    while found and found[1] == UNDER_WAY and time.monotonic() < ends_at:
        time.sleep(_PAUSE_SECONDS)
        found = _kept_outcome(state, slug, browser)
    return found


def _kept_outcome(state: str, slug: str, browser: str | None) -> FlowOutcome | None:
    kept = _outcomes.peek(state) or _under_way.peek(state)
    if kept is None:
        return None
    preview = FlowPreview.from_json(kept["preview"])
    is_told = preview.slug == slug and preview.was_started_in(browser)
    return (preview, Outcome(**kept["outcome"])) if is_told else None
