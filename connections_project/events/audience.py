"""Who is to be told: enabled endpoints, and readers of the feed."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Model

from connections_project.events.models import Endpoint
from connections_project.identity.models import User

READ_EVENTS = "events.read_events"
# How long a process caches who listens.
KNOWN_SECONDS = 1.0


@dataclass(frozen=True)
class Audience:
    """Who is there; without anybody nothing is written.

    Args:
        endpoints: The types that each enabled endpoint wants, by its id; all where there are none.
        has_readers: Whether somebody may read the feed.
    """

    endpoints: dict[UUID, frozenset[str]]
    has_readers: bool

    def __bool__(self) -> bool:
        return bool(self.endpoints) or self.has_readers

    def endpoints_for(self, event_type: str) -> list[UUID]:
        return [pk for pk, types in self.endpoints.items() if not types or event_type in types]


class _Memory:
    """This process's cache of the audience, and when it expires."""

    def __init__(self) -> None:
        self.known = Audience({}, has_readers=False)
        self.until = 0.0


_memory = _Memory()


def audience() -> Audience:
    """Return who is to be told: from the cache, or by one statement.

    An endpoint may have been disabled within the last second: `outbox` writes nothing for it.
    """
    now = time.monotonic()
    if now >= _memory.until:
        _memory.known, _memory.until = _asked(), now + KNOWN_SECONDS
    return _memory.known


def forget_audience() -> None:
    """Expire this process's cache of the audience."""
    _memory.until = 0.0


def wait_until_known() -> None:
    """Wait, after the commit of a new listener, until every process knows that there is one.

    So whoever made it misses nothing that happens from the moment when it is told so.
    """
    forget_audience()
    time.sleep(KNOWN_SECONDS)


def expect_a_reader(
    *, instance: Model, action: str, reverse: bool, pk_set: set[Any] | None, **_: Any
) -> None:
    """Wait likewise for a new reader of the feed; a receiver of `m2m_changed`.

    It is that of the permissions of users and of groups, whoever gives them.
    """
    given = {instance.pk} if reverse else pk_set or set()
    app, codename = READ_EVENTS.split(".")
    reading = Permission.objects.filter(content_type__app_label=app, codename=codename)
    if action == "post_add" and reading.filter(pk__in=given).exists():
        transaction.on_commit(wait_until_known)


def _asked() -> Audience:
    with connection.cursor() as cursor:
        cursor.execute(_statement())
        rows = cursor.fetchall()
    endpoints = {
        UUID(str(pk)): frozenset(filter(None, types.split(",")))
        for pk, types in rows
        if pk is not None
    }
    return Audience(endpoints, has_readers=len(rows) > len(endpoints))


def _statement() -> str:
    """Write the question. Names of tables only, of our own models; there are no values."""
    endpoints = Endpoint._meta.db_table
    of_users = User.user_permissions.through._meta.db_table
    of_groups = Group.permissions.through._meta.db_table
    reading = (
        f"(SELECT granted.id FROM {Permission._meta.db_table} granted"  # noqa: S608
        f" JOIN {ContentType._meta.db_table} kind ON kind.id = granted.content_type_id"
        " WHERE kind.app_label = 'events' AND granted.codename = 'read_events')"
    )
    return (
        f"SELECT id, types FROM {endpoints} WHERE disabled_at IS NULL UNION ALL"  # noqa: S608
        " SELECT NULL, '' WHERE"
        f" EXISTS (SELECT 1 FROM {of_users} WHERE permission_id IN {reading})"
        f" OR EXISTS (SELECT 1 FROM {of_groups} WHERE permission_id IN {reading})"
    )
