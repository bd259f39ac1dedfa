"""The registry of connection types: the one place where each is declared.

An app declares its type in `registration.py`, and registers it in `AppConfig.ready`. Admin,
commands, bulk jobs, receipts, replay, off-boarding, webhooks, metrics, callback page and OpenAPI
document find it here, and nothing else names the apps. The system checks of
`connections/checks.py` name what a type forgot.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Q, QuerySet

from connections_project.api import error_routing
from connections_project.connections.disconnect import DisconnectRequest, DisconnectResult
from connections_project.connections.models import OAuthConnection
from connections_project.core.storable import written_with_answers
from connections_project.identity.models import Membership, User
from connections_project.oauth.client import TokenSet

Rows: TypeAlias = "QuerySet[Any]"
Selection: TypeAlias = "Rows | Iterable[UUID]"

DISCONNECTED = "disconnected"


@dataclass(frozen=True, kw_only=True)
class AuditActions:
    """A type's audit actions, by what they mean: members of `audit.events.Action`, or its own.

    Args:
        connected: It was connected, or connected again.
        disconnected: It was disconnected. Receipts attest this event, and a replay repeats it.
        tokens_erased: Its kept tokens were erased; empty unless the type keeps tokens.
        token_refreshed: A refresh succeeded; empty for a type that refreshes nothing.
        deleted: It went from its owner's sight; empty for a type of which none does.
    """

    connected: str
    connection_failed: str
    token_refresh_failed: str
    disconnected: str
    tokens_erased: str = ""
    token_refreshed: str = ""
    deleted: str = ""

    @property
    def failed(self) -> tuple[str, str]:
        return self.connection_failed, self.token_refresh_failed


@dataclass(frozen=True, kw_only=True)
class RefreshRules:
    """A type's own words for what a refresh does to its connections; by default there is none.

    Args:
        live: The status of a connection that works, and to which a refresh leads.
        refreshable: The statuses in which a user may ask for a refresh.
        dead: What the catalogue's `becomes` is called in this app.
        leader: Returns the one connection that is refreshed for all that live on the same tokens.
        share: Gives fresh tokens, in the same transaction, to other connections that live on the
            same ones, and says whether there are any.
    """

    live: str = ""
    refreshable: frozenset[str] = frozenset()
    dead: Mapping[str, str] = field(default_factory=dict)
    leader: Callable[[Any], Any] = lambda row: row
    share: Callable[[Any, TokenSet], bool] = lambda *_: False


@dataclass(frozen=True, kw_only=True)
class Api:
    """A type's JSON API.

    Args:
        urls: The module of its routes, mounted at /api/v1/.
        prefixes: The paths whose errors it renders, such as "/api/v1/providers".
        tags: Its tags in the OpenAPI document, with their descriptions.
        enums: Names in the OpenAPI document of the choices that its fields have.
    """

    urls: str
    prefixes: tuple[str, ...]
    errors: error_routing.ErrorRenderer
    tags: Mapping[str, str] = field(default_factory=dict)
    enums: Mapping[str, type] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ConnectionType:
    """What the service has to know of one app's connections.

    Args:
        model: The table; its `app` is the app's label and its table in the catalogue.
        statuses: What a connection may be; one is "disconnected".
        actions: What its audit events mean.
        disconnect: Disconnects rows that the caller has locked, in the caller's transaction.
        complete: Completes an authorization flow; takes `state`, `answer`, `caller` and
            `origin`.
        api: The JSON API, where there is one.
        operator_fields: Columns of its own that an operator may see, named one by one so that a
            new one can't show a credential by itself.
        active_schedules: Counts what is still to be done through some connections; None where
            nothing is ever scheduled.
        oldest_overdue: Returns since when the oldest of what is scheduled is due; None where it
            returns that nothing is.
        refresh_rules: What a refresh does to its connections.
        inspect: Further facts of one connection for `inspect_connection`, as JSON.
        flow_details: What the type wants back with a flow that a user starts on the pages for
            people; takes the user, and the connection that is to take the new grant, if any.
        scheduled: What is still to be done through one connection, for its owner to read: when, and
            a text.
    """

    model: type[OAuthConnection]
    title: str
    statuses: Sequence[str]
    actions: AuditActions
    disconnect: Callable[[Sequence[Any], DisconnectRequest], DisconnectResult]
    complete: Callable[..., object]
    api: Api | None = None
    operator_fields: tuple[str, ...] = ()
    active_schedules: Callable[[Rows], int] | None = None
    oldest_overdue: Callable[[], datetime | None] | None = None
    refresh_rules: RefreshRules = field(default_factory=RefreshRules)
    inspect: Callable[[Any], dict[str, Any]] = lambda _: {}
    flow_details: Callable[[User, Any], dict[str, Any]] = lambda *_: {}
    scheduled: Callable[[Any], Sequence[tuple[datetime, str]]] = lambda _: ()

    @property
    def app(self) -> str:
        return self.model.app

    @property
    def permission(self) -> str:
        """What an operator needs to disconnect these by force, of the model's permissions."""
        options = self.model._meta
        return f"{options.app_label}.force_disconnect_{options.model_name}"

    @property
    def belongs_to_teams(self) -> bool:
        """Whether a connection is a team's; otherwise it is a user's."""
        return self.model.owner_column == "team_id"

    @property
    def rows(self) -> Rows:
        """All connections, whatever their status, also those deleted from sight."""
        return self.model._default_manager.all()

    def unfinished(self, selection: Selection, *, erase_tokens: bool = False) -> Rows:
        """Return those of a selection on which something is left to be done.

        Args:
            selection: Connections of this type, or their ids.
            erase_tokens: Whether kept tokens are to be erased, so that they are left to be done.
        """
        left = ~Q(status=DISCONNECTED)
        if erase_tokens and self.model.keeps_tokens:
            left |= Q(auth_state__isnull=False)
        if not isinstance(selection, QuerySet):
            selection = self.rows.filter(pk__any_of=list(selection))
        return selection.filter(left).order_by()

    def with_kept_tokens(self, rows: Rows) -> Rows:
        """Return those that are over, but whose tokens are kept (`keeps_tokens`)."""
        over = rows.filter(status=DISCONNECTED, auth_state__isnull=False)
        return over if self.model.keeps_tokens else rows.none()

    def may_force_disconnect(self, user: User | None) -> bool:
        """Whether a user may disconnect these by force: active staff who are permitted."""
        return (
            user is not None and user.is_active and user.is_staff and user.has_perm(self.permission)
        )


_types: dict[str, ConnectionType] = {}


def register(connection_type: ConnectionType) -> None:
    """Register an app's type, and the format of its API's errors; called in `AppConfig.ready`."""
    _types[connection_type.app] = connection_type
    written_with_answers(connection_type.model)
    actions_meaning.cache_clear()
    if api := connection_type.api:
        for prefix in api.prefixes:
            error_routing.register(prefix, api.errors)


def connection_types() -> tuple[ConnectionType, ...]:
    """Return all types, in the order of INSTALLED_APPS."""
    return tuple(_types.values())


def connection_type(app: str) -> ConnectionType:
    """Return the type of an app.

    Raises:
        KeyError: The app has none.
    """
    return _types[app]


def actions_of(app: str) -> AuditActions:
    """Return the audit actions of an app's type."""
    return _types[app].actions


def refresh_rules_of(row: OAuthConnection) -> RefreshRules:
    """Return what a refresh does to connections of a row's type."""
    return _types[row.app].refresh_rules


@cache
def actions_meaning(meaning: str) -> frozenset[str]:
    """Return the audit actions of all types that mean one thing, a field of `AuditActions`."""
    found = (getattr(one.actions, meaning) for one in _types.values())
    return frozenset(str(action) for action in found if action)


def find_connection(connection_id: UUID) -> OAuthConnection | None:
    """Return the connection of any app, whatever its status, also one deleted from sight."""
    for one in connection_types():
        row: OAuthConnection | None = one.rows.filter(pk=connection_id).first()
        if row is not None:
            return row
    return None


def own_rows(one: ConnectionType, user_id: UUID, *, deleted: bool = False) -> Rows:
    """Return the connections of a type that are a user's own, or a team's it belongs to.

    Args:
        deleted: Also those that were deleted from sight.
    """
    visible = one.rows if deleted else one.rows.filter(deleted_at=None)
    if one.belongs_to_teams:
        teams = Membership.objects.filter(user_id=user_id).values("team_id")
        return visible.filter(team_id__in=teams)
    return visible.filter(user_id=user_id)


def belongs_to(connection: OAuthConnection, user_id: UUID) -> bool:
    """Whether a connection is a user's own, or one of a team's that the user belongs to."""
    owner = connection.responsible_id
    return owner == user_id or Membership.objects.filter(team_id=owner, user_id=user_id).exists()
