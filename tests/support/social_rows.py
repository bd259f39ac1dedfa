"""Social accounts put into the database directly, however they came."""

from typing import Any

from django.utils import timezone

from connections_project.identity.models import Team
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.registry import upstream
from connections_project.revocation.grants import add_holder
from social.models import SocialAccount, Status
from tests.support.provider_rows import TOKENS


def account_of(
    team: Team,
    *,
    platform: str = "gallery",
    status: str = "active",
    tokens: TokenSet = TOKENS,
    account_id: str = "7",
    granted_by: str | None = "person-1",
    name: str = "@myaccount",
    **columns: Any,
) -> SocialAccount:
    """Make a row in any status, with its tokens, and a hold on the grant where it is live."""
    now = columns.pop("now", None) or timezone.now()
    row = SocialAccount(team=team, platform=platform, created_at=now, updated_at=now)
    found = upstream(platform)
    assert found is not None
    identity = Identity(account_id, name)
    row.take_grant(tokens, identity, upstream=found, granted_by=granted_by, now=now)
    if status != Status.ACTIVE:
        row.lose_grant(status)
    if status == Status.DISCONNECTED:
        columns = {**row.disconnected_columns(now=now), **columns}
    for column, value in columns.items():
        setattr(row, column, value)
    row.save()
    if status == Status.ACTIVE:
        add_holder(row.grant, app=row.app, connection_id=row.pk)
    return row
