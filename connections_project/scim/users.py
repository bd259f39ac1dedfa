"""What a directory does to the people of its issuer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from scim2_models import MutabilityException, NotFoundException, UniquenessException

from audit.events import Action
from audit.record import Origin
from connections_project.core import clock
from connections_project.core.parsing import parse_uuid
from connections_project.identity.models import User
from connections_project.identity.provisioning import (
    end_forgotten_sessions,
    provision_by_directory,
    remember_forgotten,
)
from connections_project.identity.records import record_about_user
from connections_project.operations.offboarding import lock_with_teams, reactivate
from connections_project.operations.offboarding_worker import begin_offboarding
from connections_project.scim import schemas
from connections_project.scim.models import ScimProfile
from connections_project.scim.resources import address_of, profile_columns, profile_of, resource_of

# Returns what a resource is to be, given what it is.
Revision = Callable[[schemas.SentUser], schemas.SentUser]
DEACTIVATED = "deactivated by the directory"
DELETED = "deleted by the directory"
REACTIVATED = "activated by the directory"


def people(issuer: str) -> "QuerySet[User]":
    """Find the principals of an issuer, the oldest first."""
    return User.objects.filter(issuer=issuer).select_related("scim_profile").order_by("pk")


def find(issuer: str, user_id: str) -> User:
    """Find one of an issuer's principals.

    Raises:
        NotFoundException: There is none, or it is another issuer's.
    """
    known = parse_uuid(user_id)
    user = people(issuer).filter(pk=known).first() if known else None
    if user is None:
        raise NotFoundException(detail="There is no such user.")
    return user


def create(issuer: str, wanted: schemas.SentUser, *, origin: Origin) -> User:
    """Make the principal that a resource describes, or adopt the one that came by a token before.

    Args:
        wanted: A User resource.
        origin: The directory.

    Raises:
        InvalidValueException: See `profile_columns`.
        UniquenessException: The directory has told of this subject or userName already.
    """
    columns = profile_columns(wanted)
    with _refusing_duplicates(), transaction.atomic():
        user = _principal(issuer, columns, origin)
        if profile_of(user) is not None:
            raise UniquenessException(detail="There is a user of that externalId.")
        _store(user, columns, wanted.active, origin=origin)
    return user


def change(issuer: str, user_id: str, revise: Revision, *, origin: Origin) -> User:
    """Change a principal as a PUT or PATCH says.

    Args:
        user_id: The resource's id, as it came.
        revise: Returns what the resource is to be, given what it is.
        origin: The directory.

    Raises:
        NotFoundException: See `find`.
        InvalidValueException: See `profile_columns`.
        MutabilityException: The externalId was given already, and differs.
        UniquenessException: Somebody else has the externalId or userName.
    """
    with _refusing_duplicates(), transaction.atomic():
        lock_with_teams(find(issuer, user_id))
        user = find(issuer, user_id)
        known = resource_of(user)
        wanted = revise(resource_of(user))
        columns = profile_columns(wanted)
        if known.external_id is not None and columns["external_id"] != known.external_id:
            raise MutabilityException(attribute="externalId", mutability="immutable")
        _store(user, columns, wanted.active, origin=origin)
    return user


def delete(issuer: str, user_id: str, *, origin: Origin) -> None:
    """End a principal's access and connections, and forget who it was.

    Raises:
        NotFoundException: See `find`.
    """
    with transaction.atomic():
        lock_with_teams(find(issuer, user_id))
        user = find(issuer, user_id)
        begin_offboarding(user, reason=DELETED, origin=origin, forget=True)


def _principal(issuer: str, columns: dict[str, Any], origin: Origin) -> User:
    subject = columns["external_id"] or columns["user_name"]
    found = people(issuer).filter(subject=subject).first()
    if found is None:
        found = provision_by_directory(issuer=issuer, subject=subject, origin=origin)
    lock_with_teams(found)
    return find(issuer, str(found.pk))


def _store(user: User, columns: dict[str, Any], active: bool | None, *, origin: Origin) -> None:
    changed = _store_profile(user, columns)
    _rename(user, columns["external_id"] or columns["user_name"], active)
    address = address_of(columns["emails"]) or user.issuer_email
    if address != user.issuer_email:
        user.issuer_email = address
        user.save(update_fields=["issuer_email"])
    if changed:
        # Their names alone: a value could never be forgotten.
        details = {"changed": changed}
        record_about_user(Action.USER_CHANGED, user.pk, origin=origin, details=details)
    # A removed `active` is true.
    _set_active(user, active is not False, origin)


def _rename(user: User, subject: str, active: bool | None) -> None:
    """Store another subject; older tokens open nothing by a change of it."""
    if subject == user.subject:
        return
    if active is False:
        # Directories rename whoever leaves: the name of before must bring nobody back.
        remember_forgotten(user)
    user.subject = subject
    user.save(update_fields=["subject"])
    end_forgotten_sessions(user)


def _store_profile(user: User, columns: dict[str, Any]) -> list[str]:
    """Store what was said; return the names of what has changed."""
    profile = profile_of(user)
    if profile is None:
        user.scim_profile = ScimProfile.objects.create(
            user=user, issuer=user.issuer or "", modified_at=user.created_at, **columns
        )
        return []
    changed = [name for name, value in columns.items() if getattr(profile, name) != value]
    for name in changed:
        setattr(profile, name, columns[name])
    if changed:
        profile.modified_at = clock.now()
        profile.save()
    return [name for name in changed if name != "user_name_key"]


def _set_active(user: User, active: bool, origin: Origin) -> None:
    if active == user.is_active:
        return
    if active:
        reactivate(user, reason=REACTIVATED, origin=origin)
    else:
        begin_offboarding(user, reason=DEACTIVATED, origin=origin)
    ScimProfile.objects.filter(pk=user.pk).update(modified_at=clock.now())
    user.scim_profile.refresh_from_db()


@contextmanager
def _refusing_duplicates() -> Iterator[None]:
    """Turn the database's refusal of a second userName or subject into SCIM's 409."""
    try:
        yield
    except IntegrityError:
        raise UniquenessException(
            detail="There is another user of that userName or externalId."
        ) from None
