"""What the database itself refuses, whoever writes (docs/architecture.md, "Invariants")."""

import pytest
from django.db import IntegrityError, connection, models, transaction

from connections_project.identity.models import Team, User
from social.models import SocialAccount
from tests.support.gallery import Gallery
from tests.support.social_rows import account_of

NOW = "CURRENT_TIMESTAMP"
INACTIVE = f"status = 'disconnected', is_active = (1 = 0), disconnected_at = {NOW}"


def refused(row: models.Model, assignments: str) -> bool:
    try:
        update(row, assignments)
    except IntegrityError:
        return True
    return False


def update(row: models.Model, assignments: str) -> None:
    """Write past all models; the id's spelling differs between the databases."""
    key = row.pk.hex if connection.vendor == "sqlite" else str(row.pk)
    table = row._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {assignments} WHERE id = %s", [key])
        assert cursor.rowcount == 1


@pytest.fixture
def account(team: Team, gallery: Gallery) -> SocialAccount:
    return account_of(team)


@pytest.mark.parametrize(
    "half",
    [
        "is_active = (1 = 0)",
        "status = 'disconnected'",
        f"disconnected_at = {NOW}",
        f"is_active = (1 = 0), disconnected_at = {NOW}",
        "status = 'disconnected', is_active = (1 = 0)",
    ],
)
def test_a_row_is_disconnected_whole_or_not_at_all(account: SocialAccount, half: str) -> None:
    assert refused(account, half)
    update(account, INACTIVE)


@pytest.mark.parametrize("half", ["is_active = (1 = 1)", "status = 'active'"])
def test_a_row_comes_back_whole_or_not_at_all(account: SocialAccount, half: str) -> None:
    update(account, INACTIVE)
    assert refused(account, half)


@pytest.mark.parametrize("half", ["status = 'revoked'", "is_active = (1 = 0)"])
def test_a_dead_grant_makes_a_row_inactive(account: SocialAccount, half: str) -> None:
    assert refused(account, half)
    update(account, "status = 'revoked', is_active = (1 = 0)")


def test_a_disconnected_row_may_keep_its_tokens(account: SocialAccount) -> None:
    update(account, INACTIVE)
    update(account, "auth_state = NULL, has_refresh_token = (1 = 0)")


@pytest.mark.parametrize("status", ["", "ACTIVE", "connected", "pending", "inactive"])
def test_an_unknown_status_is_refused(account: SocialAccount, status: str) -> None:
    assert refused(account, f"status = '{status}'")


@pytest.mark.parametrize("column", ["auth_state", "connected_at", "platform_account_id"])
def test_an_active_row_has_credentials_and_an_owner(account: SocialAccount, column: str) -> None:
    assert refused(account, f"{column} = NULL")


@pytest.mark.parametrize("status", ["active", "expired", "disconnected"])
def test_an_account_has_one_row_per_team(
    account: SocialAccount, team: Team, outsider: User, status: str
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        account_of(team, status=status)
    account_of(team, status=status, account_id="8")
    account_of(outsider.own_team, status=status)
