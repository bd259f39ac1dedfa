"""What an export of the audit log records of connections that were ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.events import Action, Outcome
from connections_project.connections.registry import actions_meaning
from connections_project.revocation.release import Decision

# Where tokens are kept, these alone say that they were to be revoked.
REVOKED_THERE = frozenset(
    {Action.TOKEN_REVOKED, Action.TOKEN_REVOCATION_FAILED, Action.TOKEN_REVOCATION_ABANDONED}
)
SUBJECT = ".connection"


@dataclass
class ReplayHistory:
    """The events about one connection, as the audit log has them.

    Args:
        ended: Its last disconnect.
        latest: When each of the other actions that count here was last done to it.
    """

    ended: dict[str, Any] = field(default_factory=dict)
    latest: dict[str, datetime] = field(default_factory=dict)

    def add_event(self, event: dict[str, Any]) -> None:
        """Add one event; they may come in any order."""
        action, at = event["action"], _time_of(event)
        if action in actions_meaning("disconnected"):
            if not self.ended or at > self.ended_at:
                self.ended = event
        else:
            self.latest[action] = max(at, self.latest.get(action, at))

    @property
    def ended_at(self) -> datetime:
        return _time_of(self.ended)

    @property
    def app(self) -> str:
        return str(self.ended["subject_type"]).removesuffix(SUBJECT)

    @property
    def way(self) -> tuple[str, bool, bool]:
        """Return what connections that are ended together have in common: the app, whether the
        tokens are revoked, whether kept ones are erased."""
        return self.app, self._was_revoked(), self._was_done_since(actions_meaning("tokens_erased"))

    def is_outdated(self, connected_at: datetime | None) -> bool:
        """Whether the connection was made anew after its last disconnect.

        Args:
            connected_at: When the row in the database was connected.
        """
        is_newer = connected_at is not None and connected_at > self.ended_at
        return is_newer or self._was_done_since(actions_meaning("connected"))

    def as_details(self) -> dict[str, Any]:
        """Name the event that is replayed, for the audit of its replay."""
        names = ("id", "occurred_at", "actor_type", "actor_id", "interface", "reason", "trace_id")
        return {"original": {name: self.ended[name] for name in names}}

    def _was_revoked(self) -> bool:
        decision = self.ended["details"].get("revocation")
        if decision is None:
            # Where tokens are kept, they are revoked only by force, and the event doesn't say so:
            # then they are erased too. Those that they had replaced may be revoked all the same.
            is_erased = self._was_done_since(actions_meaning("tokens_erased"))
            return is_erased and self._was_done_since(REVOKED_THERE)
        return bool(decision != Decision.NOT_REQUESTED)

    def _was_done_since(self, actions: Iterable[str]) -> bool:
        times = [self.latest[action] for action in actions if action in self.latest]
        return any(at >= self.ended_at for at in times)


def _time_of(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def replay_histories(events: Iterable[dict[str, Any]]) -> dict[UUID, ReplayHistory]:
    """Return the history of each connection that was ended.

    Args:
        events: As `audit.export.exported_events` gives them.
    """
    meanings = ("disconnected", "connected", "tokens_erased")
    counting = REVOKED_THERE.union(*map(actions_meaning, meanings))
    found: dict[UUID, ReplayHistory] = {}
    for event in events:
        if event["action"] in counting and _counts(event):
            found.setdefault(UUID(event["subject_id"]), ReplayHistory()).add_event(event)
    return {key: history for key, history in found.items() if history.ended}


def _counts(event: dict[str, Any]) -> bool:
    # A failed revocation shows as well that one was pending.
    succeeded = event["outcome"] == Outcome.SUCCESS or event["action"] in REVOKED_THERE
    return succeeded and str(event["subject_type"]).endswith(SUBJECT)
