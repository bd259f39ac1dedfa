"""Making principals and teams, behind the commands."""

from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.events import Action
from audit.record import record
from connections_project.identity.fields import normal_email
from connections_project.identity.models import Membership, PrincipalType, Team, User
from connections_project.identity.origins import command_origin
from connections_project.identity.records import record_about_user
from connections_project.identity.second_factor import Enrolment, enrol


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
    """Create a principal and its own team.

    Args:
        email: The address it signs in with, in any case.
        password: In the clear; AUTH_PASSWORD_VALIDATORS judge it.
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
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        # Somebody else has taken the address since: now it is seen.
        user.full_clean()
        raise
    return user


def create_operator(
    *, email: str, password: str, group: str | None = None, second_factor: bool
) -> tuple[User, Enrolment | None]:
    """Create a user who may enter the admin.

    Args:
        email: The address it signs in with, in any case.
        password: In the clear; AUTH_PASSWORD_VALIDATORS judge it.
        group: Holds what this group may do; None for every permission.

    Raises:
        django.core.exceptions.ValidationError: As `create_principal`.
        django.contrib.auth.models.Group.DoesNotExist: There is no such group.
    """
    with transaction.atomic():
        user = create_principal(email=email, password=password, is_operator=True)
        if group is not None:
            user.groups.add(Group.objects.get(name=group))
            user.is_superuser = False
            user.save(update_fields=["is_superuser"])
        details = {"group": group or "every permission"}
        origin = command_origin(None)
        record_about_user(Action.OPERATOR_CREATED, user.pk, origin=origin, details=details)
        return user, enrol(user) if second_factor else None


def create_team(*, name: str, emails: Sequence[str]) -> Team:
    """Create a team of existing principals.

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
        _record_team(team, members)
    return team


def _record_team(team: Team, members: Sequence[User]) -> None:
    known = {"changed": ["name"], "members": sorted(str(member.pk) for member in members)}
    record(
        Action.TEAM_CHANGED,
        origin=command_origin(None),
        subject_type="team",
        subject_id=team.pk,
        subject_owner_id=team.pk,
        details=known,
    )


def complaints(error: ValidationError) -> str:
    """Return the messages of a ValidationError as one line."""
    return " ".join(error.messages)
