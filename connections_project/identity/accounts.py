"""Making principals and teams, behind the commands."""

from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from connections_project.identity.fields import normal_email
from connections_project.identity.models import Membership, PrincipalType, Team, User


class UnknownMembersError(Exception):
    """Nobody signs in with these addresses (`emails`)."""

    def __init__(self, emails: Sequence[str]) -> None:
        super().__init__(f"no such user: {', '.join(emails)}")
        self.emails = emails


def create_principal(
    *,
    email: str,
    password: str,
    principal_type: PrincipalType = PrincipalType.USER,
    is_operator: bool = False,
) -> User:
    """Make a principal and the team that is its own.

    Args:
        email: The address it signs in with, in any case.
        password: In the clear; AUTH_PASSWORD_VALIDATORS judge it.
        principal_type: A person or a service.
        is_operator: Whether it enters the admin, with every permission.

    Raises:
        django.core.exceptions.ValidationError: The address is malformed or taken, the password too
            weak, or a service was to be an operator.
    """
    user = User(
        email=normal_email(email),
        principal_type=principal_type,
        is_staff=is_operator,
        is_superuser=is_operator,
    )
    validate_password(password, user)
    user.set_password(password)
    user.full_clean()
    user.save()
    return user


def create_team(*, name: str, emails: Sequence[str]) -> Team:
    """Make a team of principals who exist.

    Args:
        name: 1 to 254 characters.
        emails: The members' addresses, in any case; a repeated one counts once.

    Raises:
        UnknownMembersError: Some address is nobody's; nothing was made.
        django.core.exceptions.ValidationError: The name is empty or too long.
    """
    wanted = {normal_email(email) for email in emails}
    members = list(User.objects.filter(email__in=wanted))
    if unknown := wanted - {member.email for member in members}:
        raise UnknownMembersError(sorted(unknown))
    team = Team(name=name)
    team.full_clean()
    with transaction.atomic():
        team.save()
        Membership.objects.bulk_create(Membership(team=team, user=member) for member in members)
    return team


def complaints(error: ValidationError) -> str:
    """Put what is wrong into one line."""
    return " ".join(error.messages)
