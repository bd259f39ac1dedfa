"""A user goes: deactivated at once, disconnected, and, where that is asked for, forgotten.

No row of a user is ever deleted: its connections, events and keys name it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual

from audit.events import Action
from audit.record import Origin
from connections_project.connections.forget import forget_people
from connections_project.core import clock
from connections_project.identity.admin_history import forget_names
from connections_project.identity.keys import revoke_key
from connections_project.identity.models import (
    Authenticator,
    SessionFamily,
    Team,
    User,
)
from connections_project.identity.provisioning import remember_forgotten
from connections_project.identity.records import record_about_user
from connections_project.operations.force import force_disconnect
from connections_project.operations.offboarding_plan import own, own_keys, teams_of
from connections_project.operations.options import DisconnectOptions, Result

OFFBOARDING = "offboarding"
# A batch has to end well within the lease of the job that ends it, which is short.
BATCH = 500

_forgetters: list[Callable[[User], object]] = []


def when_forgotten(forgetter: Callable[[User], object]) -> None:
    """Have a function erase what it knows of whoever is forgotten, in the same transaction.

    Called in `AppConfig.ready`.
    """
    if forgetter not in _forgetters:
        _forgetters.append(forgetter)


def deactivate(
    user: User,
    *,
    reason: str,
    origin: Origin,
    details: Mapping[str, Any] | None = None,
    on_batch: Callable[[Result], object] | None = None,
) -> Result:
    """Deactivate a user, and disconnect all that is the user's own.

    The user's tokens and sessions stop working with the first commit, and nothing can be connected
    from then on, so that what is disconnected after it is everything. What is scheduled on channels
    is cancelled. It may be repeated: what is done is passed over.

    Args:
        reason: Why, 1 to 512 characters.
        origin: Who does it, for the audit: `admin_origin(request)` or `command_origin(operator)`.
        on_batch: Called with each batch after its commit, for a progress bar.

    Returns:
        What became of the connections of all apps; those that failed are named, and can be tried
        again by repeating it.

    Raises:
        InvalidReasonError: The reason is empty, too long, or holds a NUL. Nothing was done.
    """
    options = leaving_options(reason, forget=False)
    end_access(user, reason=options.reason, origin=origin, details=details)
    return end_connections(user, options, origin=origin, details=details, on_batch=on_batch)


def reactivate(user: User, *, reason: str, origin: Origin) -> None:
    """Reactivate a user. What was disconnected stays so.

    Raises:
        InvalidReasonError: See `deactivate`.
        ForgottenError: The user was forgotten, and nobody is there to be let in.
    """
    reason = DisconnectOptions(reason).reason
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if locked.is_forgotten:
            raise ForgottenError
        if not locked.is_active:
            locked.returned_at = clock.now()
            _set_active(locked, True)
            record_about_user(Action.USER_REACTIVATED, locked.pk, origin=origin, reason=reason)
    user.is_active = True


def forget(
    user: User,
    *,
    reason: str,
    origin: Origin,
    details: Mapping[str, Any] | None = None,
    on_batch: Callable[[Result], object] | None = None,
) -> Result:
    """Do all of `deactivate`, erase kept tokens too, and then forget who the user was.

    This is what "deleting" a user means. The address, the password, the names of the accounts and
    every power go; rows and audit events stay, and name an id that leads to nobody.

    Returns:
        What became of the connections. Where any failed, the user is not forgotten yet: repeat it.

    Raises:
        InvalidReasonError: See `deactivate`.
    """
    options = leaving_options(reason, forget=True)
    end_access(user, reason=options.reason, origin=origin, details=details)
    return end_connections(user, options, origin=origin, details=details, on_batch=on_batch)


def leaving_options(reason: str, *, forget: bool) -> DisconnectOptions:
    """Return how the connections of somebody who goes are ended; to forget erases kept tokens too.

    Raises:
        InvalidReasonError: See `deactivate`.
    """
    return DisconnectOptions(reason, cancel_schedules=True, erase_tokens=forget, cause=OFFBOARDING)


class ForgottenError(Exception):
    """A user who was forgotten does not come back."""


def end_access(
    user: User, *, reason: str, origin: Origin, details: Mapping[str, Any] | None = None
) -> None:
    """End all that a user can do, in one commit: tokens, sessions, and the keys of the own team.

    Keys of a team in which others are still active are theirs to decide on.

    The row's lock is the one of `store_grant.lock_owner`, under which connections are made: what
    comes after this commit finds the user inactive. Of two members who leave a team at once, the
    second one sees by the teams' locks that it is the last.
    """
    with transaction.atomic():
        locked = lock_with_teams(user)
        if locked.is_active:
            _set_active(locked, False)
            record_about_user(
                Action.USER_DEACTIVATED, locked.pk, origin=origin, reason=reason, details=details
            )
        now = clock.now()
        # Nor is any access token or session good again for one who is let in again.
        locked.sessions_ended_at = now
        locked.save(update_fields=["sessions_ended_at"])
        SessionFamily.objects.filter(user=locked, revoked_at=None).update(revoked_at=now)
        for key in own_keys(locked):
            revoke_key(prefix_or_id=key.prefix, origin=origin, reason=reason)
    user.is_active, user.sessions_ended_at = False, now


def lock_with_teams(user: User) -> User:
    """Lock a user's teams and then its row, which is the order of all who lock both; return it.

    Rows that refer to them may be written meanwhile: a batch of disconnects that has locked such
    rows has PostgreSQL look at the keys when it commits.
    """
    list(teams_of(user).order_by("pk").select_for_update(no_key=True))
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def end_connections(
    user: User,
    options: DisconnectOptions,
    *,
    origin: Origin,
    details: Mapping[str, Any] | None,
    connected_until: datetime | None = None,
    on_batch: Callable[[Result], object] | None,
) -> Result:
    """End all that is the user's own, and forget the user where kept tokens are erased too.

    Whoever was let in again meanwhile is not forgotten.

    Args:
        options: As `leaving_options` makes them.
        connected_until: What somebody who may come in again has connected since is left alone;
            None for nothing. Of others all is ended.
        on_batch: Told of each batch after its commit; what it raises ends the work.
    """
    total, condition = Result(), _connected_by(connected_until, user)
    for app, rows in own(user).items():
        total += force_disconnect(
            app,
            rows.filter(condition),
            options,
            origin=origin,
            details=details,
            condition=condition,
            batch_size=BATCH,
            on_batch=on_batch,
        )
    if options.erase_tokens and not total.failures:
        _anonymise(user, reason=options.reason, origin=origin, details=details)
    return total


def _connected_by(moment: datetime | None, user: User) -> Q:
    """Return the condition of what is ended, which is asked again when a row is locked."""
    if moment is None:
        return Q()
    # A user whose access has ended can't have connected anything since, whatever the clocks say.
    has_left = ~Exists(User.objects.filter(pk=user.pk, is_active=True))
    since = Coalesce("connected_at", "created_at")
    return Q(has_left) | Q(LessThanOrEqual(since, moment))


def _anonymise(
    user: User, *, reason: str, origin: Origin, details: Mapping[str, Any] | None
) -> None:
    with transaction.atomic():
        if lock_with_teams(user).is_active:
            return
        # Before the address goes, which is a key: who has locked these rows may have to read it.
        for rows in own(user).values():
            forget_people(rows)
        forget_identity(user, reason=reason, origin=origin, details=details)


def forget_identity(
    user: User, *, reason: str, origin: Origin, details: Mapping[str, Any] | None = None
) -> None:
    """Forget who a user was, whatever became of the connections; safe to repeat.

    The address or subject is free for somebody new from then on.
    """
    with transaction.atomic():
        locked = lock_with_teams(user)
        if locked.is_forgotten:
            return
        remember_forgotten(locked)
        _erase_identity(locked)
        Authenticator.objects.filter(user=locked).delete()
        Team.objects.filter(owner=locked).update(name=locked.email)
        forget_names(locked)
        for forgetter in _forgetters:
            forgetter(locked)
        record_about_user(
            Action.USER_FORGOTTEN, locked.pk, origin=origin, reason=reason, details=details
        )
    user.refresh_from_db()


def _erase_identity(locked: User) -> None:
    locked.email = locked.anonymous_address
    locked.issuer = locked.subject = locked.issuer_email = None
    locked.set_unusable_password()
    locked.is_active = locked.is_staff = locked.is_superuser = False
    locked.save()
    locked.groups.clear()
    locked.user_permissions.clear()


def _set_active(user: User, is_active: bool) -> None:
    user.is_active = is_active
    user.save(update_fields=["is_active", "returned_at"])
