"""Many are ended by the same rules as one: the same row, the same events, the same jobs."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit.record import Origin
from channels.disconnect import disconnect as disconnect_channel
from channels.disconnect_many import disconnect_many as disconnect_channels
from connections_project.connections.end_many import DisconnectRequest
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.disconnect import disconnect as disconnect_provider
from providers.disconnect_many import disconnect_many as disconnect_providers
from social.disconnect import disconnect as disconnect_account
from social.disconnect_many import disconnect_many as disconnect_accounts
from tests.channel_rows import channel_of, schedule_of
from tests.operators.conftest import UsePlatforms, account_of_user, jobs_of, story_of
from tests.rows import connection_of

pytestmark = pytest.mark.django_db

# What differs between any two rows; of these and of moments is told whether they are there.
OWN = {"id", "user_id", "team_id", "auth_state", "platform_account_id", "granting_user_id"}


def columns_of(row: OAuthConnection) -> dict[str, Any]:
    row.refresh_from_db()
    return {
        field.attname: value is not None
        if field.attname in OWN or isinstance(value, datetime)
        else value
        for field in row._meta.concrete_fields
        for value in [getattr(row, field.attname)]
    }


def told(story: list[tuple[str, str, dict[str, Any]]]) -> list[Any]:
    """Leave the moment out of what is told."""
    return [
        (action, outcome, {k: v for k, v in details.items() if k != "disconnectedAt"})
        for action, outcome, details in story
    ]


def job_columns(row: OAuthConnection) -> list[dict[str, Any]]:
    """Return the row's jobs as they are stored, but for what names the row."""
    names = [field.attname for field in RevocationJob._meta.concrete_fields]
    own = {"id", "connection_id", "owner_id", "platform_user_id", "sealed_tokens"}
    moments = {"created_at", "due_at"}
    shown = [name for name in names if name not in own | moments]
    return [{name: getattr(job, name) for name in shown} for job in jobs_of(row)]


def assert_alike(
    one: OAuthConnection,
    many: OAuthConnection,
    *,
    singly: Callable[[Any], object],
    together: Callable[[list[Any]], object],
) -> None:
    sealed = many.auth_state
    with transaction.atomic():
        singly(type(one)._default_manager.select_for_update().get(pk=one.pk))
    with transaction.atomic():
        together([many.pk])
    assert columns_of(many) == columns_of(one)
    assert told(story_of(many)) == told(story_of(one))
    assert job_columns(many) == job_columns(one)
    for job in jobs_of(many):
        assert job.sealed_tokens == sealed
        assert (job.owner_id, job.platform_user_id) == (many.responsible_id, many.granting_user_id)
        assert job.platform_user_id is not None
    assert not GrantHold.objects.exists()


RADII = ["token", "grant", "client"]


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("revoke", [True, False])
@pytest.mark.parametrize("status", ["pending", "active", "expired", "revoked", "failed"])
def test_a_provider(
    owner: User,
    outsider: User,
    origin: Origin,
    use_platforms: UsePlatforms,
    radius: str,
    revoke: bool,
    status: str,
) -> None:
    use_platforms(radius)
    leased: dict[str, Any] = {
        "refresh_lease": owner.pk,
        "refresh_leased_until": timezone.now(),
        "epoch": 4,
    }
    one = connection_of(owner, status=status, account_id="one", **leased)
    many = connection_of(outsider, status=status, account_id="many", **leased)
    assert_alike(
        one,
        many,
        singly=partial(disconnect_provider, origin=origin, revoke=revoke),
        together=partial(disconnect_providers, order=DisconnectRequest(origin, revoke=revoke)),
    )


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("schedules", [0, 2])
@pytest.mark.parametrize("status", ["connected", "expired", "error"])
def test_a_channel(
    owner: User,
    outsider: User,
    origin: Origin,
    use_platforms: UsePlatforms,
    radius: str,
    schedules: int,
    status: str,
) -> None:
    use_platforms(radius)
    cached: dict[str, Any] = {"cached_data": {"picture": "x"}}
    one = channel_of(owner, status=status, account_id="one", **cached)
    many = channel_of(outsider, status=status, account_id="many", **cached)
    for row in (one, many):
        for _ in range(schedules):
            schedule_of(row)
    assert_alike(
        one,
        many,
        singly=partial(disconnect_channel, origin=origin, cancel_schedules=True),
        together=partial(
            disconnect_channels, order=DisconnectRequest(origin), cancel_schedules=True
        ),
    )
    columns = ("status", "lease", "leased_until", "failure_reason")
    assert list(many.schedules.values(*columns)) == list(one.schedules.values(*columns))
    assert not many.schedules.active().exists()


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("status", ["active", "expired", "revoked"])
@pytest.mark.parametrize(("revoke", "erase"), [(False, False), (True, True), (False, True)])
def test_a_social_account(
    owner: User,
    outsider: User,
    origin: Origin,
    use_platforms: UsePlatforms,
    radius: str,
    status: str,
    revoke: bool,
    erase: bool,
) -> None:
    use_platforms(radius)
    one = account_of_user(owner, status=status, account_id="one")
    many = account_of_user(outsider, status=status, account_id="many")
    assert_alike(
        one,
        many,
        singly=partial(disconnect_account, origin=origin, revoke=revoke, erase=erase),
        together=partial(
            disconnect_accounts, order=DisconnectRequest(origin, revoke=revoke), erase=erase
        ),
    )
