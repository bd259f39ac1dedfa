"""The people and connections that the requests are about."""

from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from connections_project.identity.models import User
from connections_project.identity.tokens import access_token
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.registry import upstream
from connections_project.revocation.models import GrantHold
from providers.models import Connection

PASSWORD = "a password for the benchmarks"
BATCH = 2000


@dataclass(frozen=True)
class Person:
    """A user, a token that speaks for it, and its connections."""

    email: str
    token: str
    connections: list[UUID]


def people(kind: str, *, number: int, connections: int) -> list[Person]:
    """Make users that hold so many active connections each.

    Args:
        kind: A word for their addresses.
    """
    password = make_password(PASSWORD)
    users = [
        User(email=f"{kind}-{count}@example.com", password=password) for count in range(number)
    ]
    User.objects.bulk_create(users, batch_size=BATCH)
    rows = [_connection(user) for user in users for _ in range(connections)]
    Connection.objects.bulk_create(rows, batch_size=BATCH)
    GrantHold.objects.bulk_create([_hold(row) for row in rows], batch_size=BATCH)
    left = iter(rows)
    return [
        Person(user.email, access_token(user), [row.pk for row in islice(left, connections)])
        for user in users
    ]


def _connection(user: User) -> Connection:
    now = timezone.now()
    row = Connection(
        user=user, provider_slug="bench", alias="My bank", created_at=now, updated_at=now
    )
    found = upstream("bench")
    if found is None:
        raise LookupError("bench")
    tokens = TokenSet("an-access-token-of-usual-length" * 2, "a-refresh-token" * 3, expires_in=1800)
    row.take_grant(tokens, Identity(str(row.pk), "Somebody"), upstream=found, now=now)
    row.status = "active"
    return row


def _hold(row: Connection) -> GrantHold:
    return GrantHold(
        connection_id=row.pk,
        app="providers",
        authority=row.authority,
        client_id=row.client_id,
        platform_user_id=str(row.pk),
    )
