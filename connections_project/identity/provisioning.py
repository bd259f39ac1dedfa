"""How people of external issuers become principals, and how it is remembered who was forgotten."""

import hashlib
from collections.abc import Callable

from django.db import IntegrityError, transaction

from audit.events import Action, ActorType, Interface
from audit.record import Origin
from connections_project.core import clock
from connections_project.identity.clock_leads import was_issued_by
from connections_project.identity.fields import normal_email
from connections_project.identity.models import ForgottenSubject, PrincipalType, User
from connections_project.identity.records import record_about_user


class ForgottenSubjectError(Exception):
    """Whoever it was has been forgotten since."""


def provision(
    *,
    issuer: str,
    subject: str,
    issued_at: float,
    email: str | None,
    principal_type: PrincipalType,
    address: str,
) -> User:
    """Make the principal of an issuer's subject; at once from many calls, one row.

    Of somebody who was forgotten, tokens from before stay refused.

    Args:
        issuer: The `iss`, exactly.
        subject: At most 255 characters, without NUL.
        issued_at: The `iat` of the token by which it comes.
        email: What the issuer says its address is, at most 254 characters.

    Raises:
        ForgottenSubjectError: It was forgotten after the token was issued.
    """
    user = User(issuer=issuer, subject=subject, issuer_email=email, principal_type=principal_type)

    def finish() -> None:
        _require_issued_since_forgotten(user, issued_at)
        _record(user, Origin(ActorType(principal_type), user.pk, Interface.API, address))

    try:
        return _made_once(user, finish)
    except IntegrityError:
        raise ForgottenSubjectError from None


def provision_by_directory(*, issuer: str, subject: str, origin: Origin) -> User:
    """Make the principal of a subject that the issuer's directory tells of; at once, one row.

    Of somebody who was forgotten, tokens from before stay refused.

    Args:
        issuer: The `iss`, exactly.
        subject: 1 to 255 characters, without NUL.
        origin: The directory.

    Raises:
        IntegrityError: It was forgotten at this moment.
    """
    user = User(issuer=issuer, subject=subject)
    return _made_once(user, lambda: _record(user, origin))


def _made_once(user: User, finish: Callable[[], None]) -> User:
    """Store a principal, or find the one of its subject that another call made meanwhile.

    Raises:
        IntegrityError: There is none either: it was forgotten again, or the row is wrong.
    """
    try:
        with transaction.atomic():
            _save_new(user)
            finish()
    except IntegrityError:
        found = User.objects.filter(issuer=user.issuer, subject=user.subject).first()
        if found is None:
            raise
        return found
    return user


def follow(user: User, *, email: str | None, principal_type: PrincipalType) -> bool:
    """Keep what the issuer says of a principal, where it has changed.

    Args:
        email: The address; None where the token doesn't say, which changes nothing.

    Returns:
        Whether it may: an operator is never a service account.
    """
    if principal_type != user.principal_type and user.is_staff:
        return False
    claimed: dict[str, str] = {"principal_type": principal_type}
    if email is not None:
        claimed["issuer_email"] = normal_email(email)
    changed = {name: value for name, value in claimed.items() if getattr(user, name) != value}
    if changed:
        # Whoever was forgotten or deactivated meanwhile keeps nothing of what the issuer says.
        rows = User.objects.filter(pk=user.pk, issuer=user.issuer, subject=user.subject)
        if not rows.filter(is_active=True).update(**changed):
            return False
        for name, value in changed.items():
            setattr(user, name, value)
    return True


def remember_forgotten(user: User) -> None:
    """Keep a digest of whom an issuer must not bring back by an older token; local ones need none.

    The caller has locked the row.
    """
    if user.issuer is None or user.subject is None:
        return
    ForgottenSubject.objects.update_or_create(
        digest=subject_digest(user.issuer, user.subject),
        defaults={"forgotten_at": clock.now(), "clock_lead": user.clock_lead},
    )


def end_forgotten_sessions(user: User) -> None:
    """Refuse the tokens by which a stored subject came before it was forgotten, if it ever was.

    Only once it is stored: whoever is being forgotten at this moment holds the subject until then.
    """
    digest = subject_digest(user.issuer or "", user.subject or "")
    before = ForgottenSubject.objects.filter(digest=digest).first()
    ended = user.sessions_ended_at
    if before is not None and (ended is None or ended < before.forgotten_at):
        user.sessions_ended_at = user.returned_at = before.forgotten_at
        user.clock_lead = max(before.clock_lead, user.clock_lead)
        user.save(update_fields=["sessions_ended_at", "returned_at", "clock_lead"])


def subject_digest(issuer: str, subject: str) -> str:
    """Return what is kept of a subject that was forgotten: a SHA-256 that names the issuer too."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def _save_new(user: User) -> None:
    user.set_unusable_password()
    user.save()
    end_forgotten_sessions(user)


def _require_issued_since_forgotten(user: User, issued_at: float) -> None:
    ended = user.sessions_ended_at
    if ended is not None and was_issued_by(ended, user, issued_at):
        raise ForgottenSubjectError


def _record(user: User, origin: Origin) -> None:
    details = {"issuer": user.issuer}
    record_about_user(Action.USER_PROVISIONED, user.pk, origin=origin, details=details)
