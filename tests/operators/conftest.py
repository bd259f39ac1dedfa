"""All three apps' platforms on one server, and operators with and without the permission."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from audit.models import AuditEvent
from audit.record import Origin
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import Team, User
from connections_project.identity.origins import command_origin
from connections_project.operations.plans import Options
from connections_project.revocation.models import RevocationJob
from tests.bank import Bank
from tests.channel_rows import channel_of
from tests.chirp import Chirp
from tests.conftest import UseCatalogue
from tests.gallery import Gallery
from tests.rows import connection_of
from tests.servers import PlatformServer
from tests.social_rows import account_of

WHY = Options("breach at the platform")


@dataclass
class App:
    """One of the three, for tests that hold for each of them."""

    name: str
    platform: Bank
    slug: str
    make: Callable[..., Any]


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


@pytest.fixture
def teams(owner: User, outsider: User) -> dict[User, Team]:
    return {user: user.own_team for user in (owner, outsider)}


def account_of_user(user: User, **columns: Any) -> Any:
    """Make a social account of a user's own team, in the words of the other apps' rows."""
    account_id = columns.pop("account_id", None) or "customer-7"
    return account_of(user.own_team, account_id=account_id, granted_by=account_id, **columns)


MAKERS: dict[str, tuple[str, Callable[..., Any]]] = {
    "providers": ("bank", connection_of),
    "channels": ("chirp", channel_of),
    "social": ("gallery", account_of_user),
}


@pytest.fixture
def origin(operator: User) -> Origin:
    return command_origin(operator)


@pytest.fixture
def permitted(operator: User) -> User:
    """The operator, with the permission for each of the apps."""
    permissions = Permission.objects.filter(codename__startswith="force_disconnect_")
    operator.user_permissions.set(permissions)
    return operator


def story_of(row: OAuthConnection) -> list[tuple[str, str, dict[str, Any]]]:
    """Tell what the audit log says of a row: actions, outcomes, details."""
    events = AuditEvent.objects.filter(subject_id=row.pk).order_by("id")
    return [(event.action, event.outcome, event.details) for event in events]


def jobs_of(*rows: OAuthConnection) -> list[RevocationJob]:
    keys = [row.pk for row in rows]
    return list(RevocationJob.objects.filter(connection_id__in=keys).order_by("id"))
