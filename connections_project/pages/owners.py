"""Whose page a connect session opens."""

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import PermissionDenied

from connections_project.api.errors import ApiException, error_of_status, invalid_field
from connections_project.core import clock
from connections_project.core.parsing import parse_uuid
from connections_project.identity.models import ACT_FOR_USERS, PrincipalType, User
from connections_project.identity.provisioning import ForgottenSubjectError, provision

PERMISSION = f"pages.{ACT_FOR_USERS}"
ONLY_SERVICES = "Only a service account with the permission act_for_users names an owner."


def owner_of(named: Mapping[str, str] | None, *, caller: User, address: str) -> User:
    """Return the person whom a caller opens a page for.

    Args:
        named: Issuer and subject; None for the caller itself, who must be a person then.

    Raises:
        ApiException: 403, the caller may not, or the person is deactivated; 400, there is none.
    """
    if caller.principal_type != PrincipalType.SERVICE:
        if named is not None:
            raise ApiException(error_of_status(403, ONLY_SERVICES))
        return caller
    if not caller.has_perm(PERMISSION):
        raise PermissionDenied
    if named is None:
        raise invalid_field("owner", code="required", message="Name the person.")
    user = _person(named["issuer"], named["subject"], address)
    if not user.is_active:
        raise ApiException(error_of_status(403, "This person is deactivated."))
    return user


def _person(issuer: str, subject: str, address: str) -> User:
    if issuer == settings.PUBLIC_URL:
        user = _local(subject)
    elif issuer in settings.IDENTITY.issuers:
        user = _external(issuer, subject, address)
    else:
        message = "Give an issuer whose people come in here."
        raise invalid_field("owner.issuer", code="invalid_choice", message=message)
    if user is None or user.principal_type == PrincipalType.SERVICE:
        raise invalid_field("owner.subject", code="invalid", message="There is no such person.")
    return user


def _local(subject: str) -> User | None:
    key = parse_uuid(subject)
    return User.objects.filter(pk=key, issuer=None).first() if key else None


def _external(issuer: str, subject: str, address: str) -> User | None:
    found = User.objects.filter(issuer=issuer, subject=subject).first()
    if found is not None:
        return found
    try:
        return provision(
            issuer=issuer,
            subject=subject,
            issued_at=clock.now().timestamp(),
            email=None,
            principal_type=PrincipalType.USER,
            address=address,
        )
    except ForgottenSubjectError:
        return None
