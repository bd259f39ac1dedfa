"""What the database itself holds principals to."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connections_project.identity.models import Membership, PrincipalType, SessionFamily, Team, User
from tests.identity.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db


def test_each_principal_starts_with_its_own_team() -> None:
    for email in (EMAIL, "bot@example.com"):
        user = User.objects.create_user(email)
        assert list(user.teams.all()) == [user.own_team]


def test_saving_again_makes_no_second_team(owner: User) -> None:
    owner.save()
    assert Team.objects.count() == 1


def test_a_failed_principal_leaves_no_team(owner: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(EMAIL)
    assert (User.objects.count(), Team.objects.count()) == (1, 1)


def test_a_new_password_ends_all_sessions(owner: User) -> None:
    assert owner.sessions_ended_at is None
    owner.set_password("another password")
    owner.save()
    owner.refresh_from_db()
    assert owner.sessions_ended_at is not None


@pytest.mark.parametrize("take", [User.set_unusable_password, lambda user: user.set_password(None)])
def test_a_password_that_is_taken_away_ends_them_too(
    owner: User, take: Callable[[User], None]
) -> None:
    take(owner)
    owner.save(update_fields=["password"])
    ended_at = User.objects.get(pk=owner.pk).sessions_ended_at
    assert ended_at is not None
    owner.save()
    assert User.objects.get(pk=owner.pk).sessions_ended_at == ended_at


def test_an_upgrade_of_the_hash_ends_none(owner: User, settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert owner.check_password(PASSWORD)
    assert owner.password.startswith("scrypt")
    owner.save()
    owner.refresh_from_db()
    assert owner.sessions_ended_at is None


@pytest.mark.parametrize(
    "email", ["Owner@Example.com", "OWNER@EXAMPLE.COM", "\uff4fwner@example.com"]
)
def test_an_e_mail_is_unique_in_any_case(owner: User, email: str) -> None:
    assert User.objects.get(email=email) == User.objects.get_by_natural_key(email) == owner
    with pytest.raises(IntegrityError):
        User.objects.create_user(email)


def test_the_row_in_hand_has_the_stored_e_mail() -> None:
    assert User.objects.create_user("New@Example.com").email == "new@example.com"


@pytest.mark.parametrize(
    "columns",
    [
        {"principal_type": "service", "is_staff": True},
        {"principal_type": "service", "is_superuser": True},
        {"principal_type": "robot"},
    ],
)
def test_a_contradiction_is_refused(owner: User, columns: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=owner.pk).update(**columns)


def test_the_database_refuses_upper_case_e_mails(owner: User) -> None:
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE identity_user SET email = %s", [EMAIL.upper()])


def test_nobody_belongs_to_a_team_twice(owner: User) -> None:
    with pytest.raises(IntegrityError):
        Membership.objects.create(team=owner.own_team, user=owner)


def test_keys_are_time_ordered(owner: User) -> None:
    later = User.objects.create_user("later@example.com", principal_type=PrincipalType.SERVICE)
    assert owner.pk.version == later.pk.version == 7
    assert owner.pk < later.pk


def test_a_principal_takes_its_sign_ins_along(owner: User) -> None:
    SessionFamily.objects.create(user=owner, current_jti=owner.pk, expires_at=timezone.now())
    owner.delete()
    assert SessionFamily.objects.count() == 0
