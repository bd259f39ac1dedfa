"""What an export of the audit log records of connections that were ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from audit.events import Action, Outcome
from connections_project.connections.registry import actions_meaning
from connections_project.revocation.release import Decision

# Where tokens are kept, these alone say that they were to be revoked.
REVOKED_THERE = frozenset(
    {Action.TOKEN_REVOKED, Action.TOKEN_REVOCATION_FAILED, Action.TOKEN_REVOCATION_ABANDONED}
)
OF_REFRESHES = ("token_refreshed", "token_refresh_failed")
SUBJECT = ".connection"


class Way(NamedTuple):
    """What connections that are ended together have in common.

    Args:
        revokes: Whether the tokens are revoked at the platform.
        erases: Whether kept ones are erased.
        disconnects: Whether they were disconnected.
        sender: The kind of notice by which their platform ended them; None where it did not.
        forgets: Whether their person's name and ids were erased with that.
        becomes: What they became as the platform refused their grant; None where that is not all.
    """

    app: str
    revokes: bool = True
    erases: bool = False
    disconnects: bool = True
    sender: str | None = None
    forgets: bool = False
    becomes: str | None = None


@dataclass
class ReplayHistory:
    """The events about one connection, as the audit log has them.

    Args:
        disconnected: Its last disconnect.
        deauthorized: The last notice of its platform that it was over.
        erased: The last such notice that had its person's profile erased.
        refused: The last time that its platform called its grant dead.
        latest: When each of the other actions that count here was last done to it.
    """

    disconnected: dict[str, Any] = field(default_factory=dict)
    deauthorized: dict[str, Any] = field(default_factory=dict)
    erased: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, Any] = field(default_factory=dict)
    latest: dict[str, datetime] = field(default_factory=dict)

    def add_event(self, event: dict[str, Any]) -> None:
        """Add one event; they may come in any order."""
        action, at = event["action"], _time_of(event)
        if action in actions_meaning("disconnected"):
            self.disconnected = _last(self.disconnected, event)
        elif action == Action.CONNECTION_DEAUTHORIZED:
            self.deauthorized = _last(self.deauthorized, event)
            if event["details"].get("profile_erased"):
                self.erased = _last(self.erased, event)
        elif action in actions_meaning("token_refresh_failed"):
            self.refused = _last(self.refused, event)
        else:
            self.latest[action] = max(at, self.latest.get(action, at))

    @property
    def ended(self) -> dict[str, Any]:
        """The last event that ended it, by whomever; empty where nothing did."""
        over = _last(self.disconnected, self.deauthorized)
        return self.refused if self._is_refused() and not self._stands(over) else over

    @property
    def ended_at(self) -> datetime:
        return _time_of(self.ended)

    @property
    def app(self) -> str:
        return str(self.ended["subject_type"]).removesuffix(SUBJECT)

    @property
    def way(self) -> Way:
        """Return how it is ended again. What the platform itself ended is not revoked there."""
        disconnects, forgets = self._stands(self.disconnected), self._stands(self.erased)
        if self.ended is self.refused:
            becomes = str(self.refused["details"].get("becomes", "expired"))
            return Way(self.app, revokes=False, disconnects=False, becomes=becomes)
        if not self.disconnected or self._stands(self.deauthorized):
            sender = str(self.deauthorized["details"].get("sender", ""))
            return Way(
                self.app, revokes=False, disconnects=disconnects, sender=sender, forgets=forgets
            )
        return Way(self.app, self._was_revoked(), self._were_tokens_erased())

    def is_outdated(self, connected_at: datetime | None) -> bool:
        """Whether the connection was made anew after its last disconnect.

        Args:
            connected_at: When the row in the database was connected.
        """
        is_newer = connected_at is not None and connected_at > self.ended_at
        return is_newer or not self._stands(self.ended)

    def as_details(self) -> dict[str, Any]:
        """Name the event that is replayed, for the audit of its replay."""
        names = ("id", "occurred_at", "actor_type", "actor_id", "interface", "reason", "trace_id")
        return {"original": {name: self.ended[name] for name in names}}

    def _stands(self, ending: dict[str, Any]) -> bool:
        """Whether there is such an ending, and it was not connected anew since."""
        connected = actions_meaning("connected")
        return bool(ending) and not self._was_done_since(connected, ending)

    def _is_refused(self) -> bool:
        refreshed = actions_meaning("token_refreshed")
        stands = self._stands(self.refused)
        return stands and not self._was_done_since(refreshed, self.refused)

    def _were_tokens_erased(self) -> bool:
        return self._was_done_since(actions_meaning("tokens_erased"), self.disconnected)

    def _was_revoked(self) -> bool:
        decision = self.disconnected["details"].get("revocation")
        if decision is None:
            # Where tokens are kept, they are revoked only by force, and the event doesn't say so:
            # then they are erased too. Those that they had replaced may be revoked all the same.
            was_revoked = self._was_done_since(REVOKED_THERE, self.disconnected)
            return self._were_tokens_erased() and was_revoked
        return bool(decision != Decision.NOT_REQUESTED)

    def _was_done_since(self, actions: Iterable[str], event: dict[str, Any]) -> bool:
        times = [self.latest[action] for action in actions if action in self.latest]
        return any(at >= _time_of(event) for at in times)


def _last(*events: dict[str, Any]) -> dict[str, Any]:
    """Return the last of those that are there; an empty one where none is."""
    return max(filter(None, events), key=_time_of, default={})


def _time_of(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def replay_histories(events: Iterable[dict[str, Any]]) -> dict[UUID, ReplayHistory]:
    """Return the history of each connection that was ended.

    Args:
        events: As `audit.export.exported_events` gives them.
    """
    meanings = ("disconnected", "connected", "tokens_erased", *OF_REFRESHES)
    shared = REVOKED_THERE | {Action.CONNECTION_DEAUTHORIZED}
    counting = shared.union(*map(actions_meaning, meanings))
    found: dict[UUID, ReplayHistory] = {}
    for event in events:
        if event["action"] in counting and _counts(event):
            found.setdefault(UUID(event["subject_id"]), ReplayHistory()).add_event(event)
    return {key: history for key, history in found.items() if history.ended}


def _counts(event: dict[str, Any]) -> bool:
    action, counts = event["action"], event["outcome"] == Outcome.SUCCESS
    if action in REVOKED_THERE:
        # A failed revocation shows as well that one was pending.
        counts = True
    elif action in actions_meaning("token_refresh_failed"):
        details = event["details"]
        counts = details.get("error") == "dead_grant" and details.get("becomes") != "unchanged"
    return counts and str(event["subject_type"]).endswith(SUBJECT)
