"""Teams' API keys: made, found by what a request brings, revoked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.events import Action
from audit.record import Origin, record
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.core.parsing import parse_uuid, render_datetime
from connections_project.core.text import is_deceptive
from connections_project.identity.models import ApiKey, Scope, Team, User
from connections_project.identity.prefixed_tokens import TokenFormat, note_use

FORMAT = TokenFormat("cnx")


class BadKeyError(Exception):
    """Not a key of that team, or one that is no longer good; which of it is not said."""


class InvalidKeyRequestError(ValueError):
    """A key can't be made so; the text says what to change."""


class KeyNotFoundError(Exception):
    """There is no such key."""


@dataclass(frozen=True)
class NewKey:
    """A key that has just been made. `text` is the key itself, which nobody can see again."""

    key: ApiKey
    text: str = field(repr=False)


def create_key(
    *,
    team: Team,
    scopes: Iterable[str],
    origin: Origin,
    name: str = "",
    expires_at: datetime | None = None,
    created_by: User | None = None,
    key_id: UUID | None = None,
) -> NewKey:
    """Create a key.

    Args:
        scopes: Words of `Scope`, at least one.
        name: What the team calls it, at most 100 characters.
        expires_at: When it ends, in the future; None for never.
        key_id: Its id, where that was given out before, so that it is made once.

    Raises:
        InvalidKeyRequestError: No scope, an unknown one, a name too long, or an end in the past.
    """
    wanted = _checked(scopes, name, expires_at)
    new = FORMAT.new()
    with transaction.atomic():
        key = ApiKey(
            id=key_id or uuid7(),
            team=team,
            name=name,
            prefix=new.prefix,
            secret_sha256=new.digest,
            scopes=wanted,
            expires_at=expires_at,
            created_by=created_by,
        )
        key.save(force_insert=True)
        _record(Action.API_KEY_CREATED, key, origin=origin)
    return NewKey(key, new.token)


def revoke_key(*, prefix_or_id: str, origin: Origin, reason: str = "") -> tuple[ApiKey, bool]:
    """Revoke a key for good; safe to repeat.

    Args:
        prefix_or_id: Its public prefix, or its id.
        reason: Why, at most 512 characters.

    Returns:
        The key, and whether it was revoked only now.

    Raises:
        KeyNotFoundError: There is none.
    """
    which = Q(prefix=prefix_or_id)
    if key_id := parse_uuid(prefix_or_id):
        which |= Q(pk=key_id)
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().filter(which).first()
        if key is None:
            raise KeyNotFoundError
        is_news = key.revoked_at is None
        if is_news:
            key.revoked_at = clock.now()
            key.save(update_fields=["revoked_at"])
            _record(Action.API_KEY_REVOKED, key, origin=origin, reason=reason)
    return key, is_news


def find_key(raw: str, *, team_id: UUID | None) -> ApiKey:
    """Find the key that a request bears, by one query, whatever is wrong with it.

    Args:
        team_id: The team that the request names; None where what it says is no id.

    Raises:
        BadKeyError: Unknown, forged, revoked, expired, or another team's.
    """
    key, now = FORMAT.find(ApiKey.objects.all(), raw), clock.now()
    if key is None or not key.is_good(now=now) or key.team_id != team_id:
        raise BadKeyError
    note_use(key, now=now)
    return key


def listed_keys(*, team: UUID | None = None, ended: bool = False) -> "QuerySet[ApiKey]":
    """Find keys with their teams, the newest first.

    Args:
        team: The id of the team whose keys they are; None for every team's.
        ended: Whether revoked and expired ones are among them.
    """
    keys = ApiKey.objects.select_related("team").order_by("-pk")
    if not ended:
        now = clock.now()
        keys = keys.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    return keys if team is None else keys.filter(team=team)


def _checked(scopes: Iterable[str], name: str, expires_at: datetime | None) -> list[str]:
    wanted = set(scopes)
    if unknown := wanted - set(Scope.values):
        known = ", ".join(Scope.values)
        raise InvalidKeyRequestError(f"no such scope: {sorted(unknown)[0]}; there are {known}")
    if not wanted:
        raise InvalidKeyRequestError(f"name at least one scope of {', '.join(Scope.values)}")
    if len(name) > 100 or is_deceptive(name):
        raise InvalidKeyRequestError("the name may have at most 100 characters, in one line")
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidKeyRequestError("the key would have ended already: give a time to come")
    return [scope for scope in Scope.values if scope in wanted]


def _record(action: Action, key: ApiKey, *, origin: Origin, reason: str = "") -> None:
    record(
        action,
        origin=origin,
        subject_type="api_key",
        subject_id=key.pk,
        subject_owner_id=key.team_id,
        reason=reason,
        details={
            "prefix": key.prefix,
            "name": key.name,
            "scopes": key.scopes,
            "expires_at": render_datetime(key.expires_at) if key.expires_at else None,
        },
    )
