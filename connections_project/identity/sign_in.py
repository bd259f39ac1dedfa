"""The one verb that looks at passwords, behind the API, the sign-in page and the admin."""

import hashlib
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import Error as DatabaseError
from django.db import transaction
from django.http import HttpRequest

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Origin
from connections_project.identity import second_factor
from connections_project.identity.fields import normal_email
from connections_project.identity.hashing import HashingBusyError, hashing_slot, sign_in_place
from connections_project.identity.known_browsers import known_browser
from connections_project.identity.login_attempts import Attempt, begin_attempt
from connections_project.identity.models import User
from connections_project.identity.origins import anonymous_origin
from connections_project.identity.records import record_about_user
from connections_project.middleware.trusted_proxies import client_address


class BadCredentialsError(Exception):
    """No active principal has this e-mail and this password; which of it is wrong isn't said."""


def _nothing_more(_: User) -> str:
    return ""


def authenticate(
    request: HttpRequest,
    *,
    email: str,
    password: str,
    further: Callable[[User], str] = _nothing_more,
) -> User:
    """Find the active principal who has this e-mail and this password.

    Args:
        email: In any case.
        further: A further check, once the password is right: returns a word for the audit
            log where it refuses.

    Raises:
        BadCredentialsError: There is none. The audit log says why.
        TooManyAttemptsError: Too many failed before, and the password was not looked at; or the
            principal has just succeeded too often.
        HashingBusyError: Too many are signing in; the password was not looked at.
    """
    with sign_in_place():
        browser = known_browser(request, email=email)
        attempt = begin_attempt(email=email, address=client_address(request), browser=browser)
        user = _looked_up(attempt, email)
        refusal = _checked_refusal(attempt, user, password)
    refusal = refusal or (further(user) if user else "")
    if user is None or refusal:
        _record_failure(request, user, email, refusal)
        raise BadCredentialsError
    attempt.succeed(user.pk)
    return user


def authenticate_operator(request: HttpRequest, *, email: str, password: str, code: str) -> User:
    """Find the operator whom these let into the admin; the audit log keeps that it came in.

    Args:
        email: In any case.
        code: Of the authenticator app; looked at where ADMIN_TOTP_REQUIRED is on.

    Raises:
        BadCredentialsError, TooManyAttemptsError, HashingBusyError: See `authenticate`.
    """

    def further(user: User) -> str:
        if not user.is_staff:
            return "no_operator"
        if not settings.ADMIN_TOTP_REQUIRED:
            return ""
        return second_factor.refusal(user, code, origin=_operator_origin(request, user))

    user = authenticate(request, email=email, password=password, further=further)
    record_operator(request, user, by="password")
    return user


def record_operator(request: HttpRequest, user: User, *, by: str) -> None:
    """Record that an operator has come in, and by which way."""
    with transaction.atomic():
        origin = _operator_origin(request, user)
        record_about_user(Action.OPERATOR_SIGNED_IN, user.pk, origin=origin, details={"by": by})


def _operator_origin(request: HttpRequest, user: User) -> Origin:
    return Origin(ActorType.OPERATOR, user.pk, Interface.ADMIN, client_address(request))


def _looked_up(attempt: Attempt, email: str) -> User | None:
    """Return who has this e-mail; an outage of the database counts against nobody."""
    try:
        return User.objects.filter(email=email).first()
    except DatabaseError:
        attempt.excuse()
        raise


def _checked_refusal(attempt: Attempt, user: User | None, password: str) -> str:
    try:
        with hashing_slot():
            return _refusal(user, password)
    except HashingBusyError:
        attempt.excuse()
        raise


def _refusal(user: User | None, password: str) -> str:
    if user is None:
        # One hash, as for a known e-mail: otherwise the time would show who has an account.
        make_password(password)
        return "unknown_email"
    if not check_password(password, user.password, lambda raw: _rehash(user, raw)):
        return "wrong_password"
    return "" if user.is_active else "inactive"


def _rehash(user: User, password: str) -> None:
    """Store a hash of today's kind, unless the password was changed or rehashed meanwhile."""
    rows = User.objects.filter(pk=user.pk, password=user.password)
    rows.update(password=make_password(password))
    user.refresh_from_db(fields=["password"])


def _record_failure(request: HttpRequest, user: User | None, email: str, reason: str) -> None:
    # A digest recognises the same address again, and stores no unknown address in the clear,
    # nor a password that was typed into the wrong field.
    digest = hashlib.sha256(normal_email(email).encode()).hexdigest()[:16]
    with transaction.atomic():
        record_about_user(
            Action.LOGIN_FAILED,
            user.pk if user else None,
            origin=anonymous_origin(request),
            outcome=Outcome.FAILURE,
            reason=reason,
            details={"email_sha256": digest},
        )
