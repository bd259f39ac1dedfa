"""All three apps' platforms on one server, and operators with and without the permission."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from audit.models import AuditEvent
from audit.record import Origin
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations.options import DisconnectOptions
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.conftest import UseCatalogue
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.gallery import Gallery
from tests.support.platform_server import PlatformServer
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

WHY = DisconnectOptions("breach at the platform")


UsePlatforms = Callable[[str], None]


@pytest.fixture
def use_platforms(server: PlatformServer, use_catalogue: UseCatalogue) -> UsePlatforms:
    """Lay the three platforms over the catalogue, with one blast radius for all."""

    def use(radius: str) -> None:
        revocation = f'blast_radius = "{radius}"'
        made = (Bank(server), Chirp(server), Gallery(server))
        tables = [one.catalogue(revocation=revocation) for one in made]
        use_catalogue("".join(tables), "bank", "chirp", "gallery")
        made[0].open()

    return use


@pytest.fixture
def platforms(use_platforms: UsePlatforms, server: PlatformServer) -> Bank:
    """Three platforms at which each token is revoked by itself."""
    use_platforms("token")
    return Bank(server)


def account_of_user(user: User, **columns: Any) -> Any:
    """Make a social account of a user's own team, in the words of the other apps' rows."""
    account_id = columns.pop("account_id", None) or "customer-7"
    return account_of(user.own_team, account_id=account_id, granted_by=account_id, **columns)


MAKERS: dict[str, tuple[str, Callable[..., Any]]] = {
    "providers": ("bank", connection_of),
    "channels": ("chirp", channel_of),
    "social": ("gallery", account_of_user),
}


def many_like(row: Connection, count: int) -> None:
    """Add rows like one that is there, each with a grant of its own and a hold on it."""
    alike = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    own = ("id", "platform_account_id", "granting_user_id")
    copies = []
    for number in range(count):
        copy = Connection(**{name: value for name, value in alike.items() if name not in own})
        copy.platform_account_id = copy.granting_user_id = f"copy-{number}"
        copies.append(copy)
    Connection.objects.bulk_create(copies, batch_size=500)
    GrantHold.objects.bulk_create(
        [
            GrantHold(
                connection_id=copy.pk,
                app=copy.app,
                authority=copy.authority,
                client_id=copy.client_id,
                platform_user_id=copy.granting_user_id or "",
            )
            for copy in copies
        ],
        batch_size=500,
    )


@pytest.fixture
def origin(operator: User) -> Origin:
    return command_origin(operator)


@pytest.fixture
def permitted(operator: User) -> User:
    """The operator, with the permission for each of the apps."""
    permissions = Permission.objects.filter(codename__startswith="force_disconnect_")
    operator.user_permissions.set(permissions)
    return operator


def history_of(row: OAuthConnection) -> list[tuple[str, str, dict[str, Any]]]:
    """Return a row's audit events: actions, outcomes, details."""
    events = AuditEvent.objects.filter(subject_id=row.pk).order_by("id")
    return [(event.action, event.outcome, event.details) for event in events]


def jobs_of(*rows: OAuthConnection) -> list[RevocationJob]:
    keys = [row.pk for row in rows]
    return list(RevocationJob.objects.filter(connection_id__in=keys).order_by("id"))
