"""Turn audit events into the events that the host application is sent.

This is the only place that writes events: it listens to all that is recorded
(`audit.record.listen`), in the same transaction, so that no way of ending a connection can forget
it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from audit.events import Action, ActorType
from audit.record import Event
from connections_project.connections.attention import AttentionReason, tell_attention
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import DISCONNECTED, connection_type, connection_types
from connections_project.core.parsing import render_datetime
from connections_project.events import outbox
from connections_project.events.audience import audience
from connections_project.events.dispatch import dispatch_deliveries
from connections_project.events.outbox import Fact
from connections_project.events.types import EventType
from connections_project.identity.models import User
from connections_project.middleware.tracing import current_trace_id
from connections_project.revocation.models import JobState

# What is announced of one change: a type, and members of `data` besides those that all have.
Announcement = tuple[EventType, Mapping[str, Any]]
# Issuer and subject of principals, where an external issuer names them.
People = Mapping[UUID, tuple[str | None, str | None]]
NAMED_BY = ("pk", "issuer", "subject")


@dataclass(frozen=True)
class _Change:
    """An audit event that may be worth telling, and the connection that it is about, if any."""

    event: Event
    app: str
    connection_id: UUID | None
    row: OAuthConnection | None
    attention: str | None


def announce(events: Sequence[Event]) -> None:
    """Write the host application's events for audit events; none where nobody listens."""
    rules = _rules()
    changes = [_change(event) for event in events if str(event.action) in rules]
    for change in changes:
        if change.attention:
            tell_attention(change.row, change.attention)
    if not changes or not (listeners := audience()):
        return
    rows = _locked_rows(changes)
    people = _external_people([change.row for change in changes if change.row] + [*rows.values()])
    facts = [fact for change in changes for fact in _facts(change, rows, people)]
    if facts:
        endpoints = outbox.write(facts, listeners)
        dispatch_deliveries(endpoints)


def _change(event: Event) -> _Change:
    app, _, kind = event.subject_type.partition(".")
    row = event.notes.get("row")
    connection_id = event.subject_id if kind == "connection" else None
    if named := (event.details or {}).get("connection_id"):
        connection_id = UUID(named)
    # What was changed is known only to the row that was changed.
    attention = row.attention_change() if row is not None else None
    return _Change(event, app, connection_id, row, attention)


def _locked_rows(changes: Sequence[_Change]) -> dict[UUID, OAuthConnection]:
    """Lock and read the connections of which the recorder holds no row, a query for each app.

    Whoever writes an event of a connection holds its lock, so that events commit in their order.
    """
    wanted: dict[str, set[UUID]] = {}
    for change in changes:
        if change.row is None and change.connection_id is not None:
            wanted.setdefault(change.app, set()).add(change.connection_id)
    return {row.pk: row for app in sorted(wanted) for row in _lock(app, wanted[app])}


def _lock(app: str, ids: set[UUID]) -> Iterator[OAuthConnection]:
    rows = connection_type(app).rows.filter(pk__in=ids).defer("auth_state").order_by("pk")
    yield from rows.select_for_update(no_key=True, of=("self",))


def _external_people(rows: Sequence[OAuthConnection]) -> People:
    """Return issuer and subject of the owners whom an external issuer names, by one query.

    It is spared where the owner is at hand, as where somebody ends a connection of their own.
    """
    at_hand: dict[UUID, User] = {}
    missing: set[UUID] = set()
    for row in rows:
        if row.owner_column != "user_id":
            continue
        if owner := row._state.fields_cache.get("user"):
            at_hand[owner.pk] = owner
        else:
            missing.add(row.responsible_id)
    found = {owner.pk: (owner.issuer, owner.subject) for owner in at_hand.values()}
    if missing := missing - found.keys():
        known = User.objects.filter(pk__in=missing, issuer__isnull=False)
        found |= {pk: (issuer, subject) for pk, issuer, subject in known.values_list(*NAMED_BY)}
    return found


def _facts(change: _Change, rows: Mapping[UUID, OAuthConnection], people: People) -> Iterator[Fact]:
    row = change.row
    if row is None and change.connection_id is not None:
        row = rows.get(change.connection_id)
    about_connection = change.connection_id is not None
    if about_connection and (row is None or row._state.adding):
        return  # It never came to be.
    for event_type, more in _rules()[str(change.event.action)](change, row):
        yield _fact(change.event, row, people, event_type, more)


def _fact(
    event: Event,
    row: OAuthConnection | None,
    people: People,
    event_type: EventType,
    more: Mapping[str, Any],
) -> Fact:
    who = {"actor": str(event.origin.actor_type), **more}
    data = {**who, "trace_id": event.trace_id or current_trace_id()}
    if row is None:
        platform = str((event.details or {}).get("platform", ""))
        return Fact(type=event_type, data={"platform": platform, **data}, platform=platform)
    data = {"connection": _connection(row, people), **data}
    return Fact(type=event_type, data=data, connection_id=row.pk, platform=row.platform_slug)


def _connection(row: OAuthConnection, people: People) -> dict[str, Any]:
    issuer, subject = people.get(row.responsible_id, (None, None))
    owner = "team_id" if connection_type(row.app).belongs_to_teams else "principal_id"
    return {
        "id": str(row.pk),
        "app": row.app,
        "platform": row.platform_slug,
        "status": row.shown_status,
        "owner": {owner: str(row.responsible_id), "issuer": issuer, "subject": subject},
    }


# The rules: what is told of an audit action.

Rule = Callable[[_Change, Any], Iterator[Announcement]]


@cache
def _rules() -> Mapping[str, Rule]:
    """Return the rule of each audit action that may be told: of all connection types, and shared.

    The types are registered by the time that anything is recorded.
    """
    of_meaning: dict[str, Rule] = {
        "connected": _connected,
        "disconnected": _disconnected,
        "connection_failed": _attention,
        "token_refresh_failed": _attention,
        "token_refreshed": _attention,
        "tokens_erased": _simply(EventType.ERASED),
        "deleted": _simply(EventType.DELETED),
    }
    own = {
        str(action): rule
        for one in connection_types()
        for meaning, rule in of_meaning.items()
        if (action := getattr(one.actions, meaning))
    }
    return own | dict(_SHARED)


def announced_actions() -> frozenset[str]:
    """Return the audit actions that may be told."""
    return frozenset(map(str, _rules()))


def _connected(change: _Change, _row: OAuthConnection) -> Iterator[Announcement]:
    details = change.event.details or {}
    is_new = change.event.notes.get("is_new", not details.get("reauthorised"))
    yield EventType.CONNECTED if is_new else EventType.RECONNECTED, {}


def _disconnected(change: _Change, _row: OAuthConnection) -> Iterator[Announcement]:
    event = change.event
    state = (event.details or {}).get("revocation", event.notes.get("revocation"))
    revocation = {"revocation": str(state)} if state else {}
    yield EventType.DISCONNECTED, {"reason": _reason(event), **revocation}


def _reason(event: Event) -> str:
    if cause := event.notes.get("cause"):
        return str(cause)
    if event.origin.for_team:
        return "team"
    match event.origin.actor_type:
        case ActorType.USER | ActorType.SERVICE:
            return "user"
        case ActorType.PLATFORM:
            return "platform"
    return "operator"


def _attention(change: _Change, row: OAuthConnection) -> Iterator[Announcement]:
    """Tell that it has come to need its owner, or needs nobody any more; once per transition."""
    if change.attention:
        ends_at = row.grant_expires_at if change.attention == AttentionReason.GRANT_ENDING else None
        end = {"ends_at": render_datetime(ends_at)} if ends_at else {}
        yield EventType.NEEDS_ATTENTION, {"reason": change.attention, **end}
    elif change.attention == "":
        yield EventType.RECOVERED, {}


def _deauthorized(change: _Change, row: OAuthConnection) -> Iterator[Announcement]:
    notes = change.event.notes
    if notes.get("was_over"):
        if notes.get("had_credentials"):
            yield EventType.ERASED, {}
    elif row.status == DISCONNECTED:
        revocation = {"revocation": JobState.REVOKED.value}
        yield EventType.DISCONNECTED, {"reason": _reason(change.event), **revocation}
    else:
        yield from _attention(change, row)


def _revocation(event_type: EventType, state: JobState) -> Rule:
    def rule(change: _Change, row: OAuthConnection) -> Iterator[Announcement]:
        details = change.event.details or {}
        # One that never was connected has no tokens but those that came late.
        had_own = row.disconnected_at is not None and row.connected_at is not None
        if details.get("replaced_or_late") and had_own and state is JobState.REVOKED:
            # Of one that is over it would say that its own tokens, perhaps left alone, are gone.
            return
        verification = details.get("verification")
        more = {"verification": str(verification)} if verification else {}
        yield event_type, {"revocation": state.value, **more}

    return rule


def _schedule(event_type: EventType) -> Rule:
    def rule(change: _Change, _row: OAuthConnection) -> Iterator[Announcement]:
        yield event_type, {"schedule": {"id": str(change.event.subject_id)}}

    return rule


def _cancelled(change: _Change, _row: OAuthConnection) -> Iterator[Announcement]:
    for schedule_id in change.event.notes["schedules"]():
        yield EventType.SCHEDULE_CANCELLED, {"schedule": {"id": str(schedule_id)}}


def _simply(event_type: EventType) -> Rule:
    return lambda *_: iter([(event_type, {})])


_SHARED: Mapping[str, Rule] = {
    Action.CONNECTION_DEAUTHORIZED: _deauthorized,
    Action.CONNECTION_GRANT_ENDING: _attention,
    Action.TOKEN_REVOKED: _revocation(EventType.REVOCATION_SUCCEEDED, JobState.REVOKED),
    Action.TOKEN_REVOCATION_ABANDONED: _revocation(
        EventType.REVOCATION_ABANDONED, JobState.ABANDONED
    ),
    Action.SCHEDULE_PUBLISHED: _schedule(EventType.SCHEDULE_PUBLISHED),
    Action.SCHEDULE_FAILED: _schedule(EventType.SCHEDULE_FAILED),
    Action.SCHEDULES_CANCELLED: _cancelled,
    Action.PLATFORM_SUSPENDED: _simply(EventType.PLATFORM_SUSPENDED),
    Action.PLATFORM_RESUMED: _simply(EventType.PLATFORM_RESUMED),
}
