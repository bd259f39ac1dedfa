"""Read a team's accounts."""

from uuid import UUID

from connections_project.connections.errors import ConnectionNotFoundError
from social.models import SocialAccount, SocialAccountQuerySet


def team_account(
    account_id: UUID, *, team_id: UUID, rows: SocialAccountQuerySet | None = None
) -> SocialAccount:
    """Return a team's own account.

    Args:
        rows: Where to look, such as locked rows; all by default.

    Raises:
        ConnectionNotFoundError: Unknown, or another team's: the error doesn't say which.
    """
    found = SocialAccount.objects.all() if rows is None else rows
    account = found.filter(pk=account_id, team_id=team_id).first()
    if account is None:
        raise ConnectionNotFoundError
    return account


def team_accounts(team_id: UUID, *, active: bool | None) -> list[SocialAccount]:
    """List a team's accounts, newest first.

    Args:
        active: Only those that can, or can't, be published to; None for all.
    """
    rows = SocialAccount.objects.of_team(team_id)
    if active is None:
        return list(rows)
    return list(rows.filter(is_active=active))
