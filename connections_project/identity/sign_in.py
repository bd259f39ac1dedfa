"""The one verb that looks at passwords, behind the API, the sign-in page and the admin."""

import hashlib

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest

from audit.events import Action, Outcome
from audit.record import record
from connections_project.http.addresses import client_address
from connections_project.identity.attempts import admit
from connections_project.identity.fields import normal_email
from connections_project.identity.models import User
from connections_project.identity.origins import stranger


class BadCredentialsError(Exception):
    """No active principal has this e-mail and this password; which of it is wrong isn't said."""


def authenticate(request: HttpRequest, *, email: str, password: str) -> User:
    """Find the active principal who has this e-mail and this password.

    Args:
        request: Where the attempt comes from.
        email: In any case.
        password: In the clear.

    Raises:
        BadCredentialsError: There is none. The audit log says why.
        TooManyAttemptsError: Too many failed before; the password was not looked at.
    """
    attempt = admit(email=email, address=client_address(request))
    user = User.objects.filter(email=email).first()
    refusal = _refusal(user, password)
    if user is None or refusal:
        _record_failure(request, user, email, refusal)
        raise BadCredentialsError
    attempt.succeeded()
    return user


def _refusal(user: User | None, password: str) -> str:
    if user is None:
        # One hash, as for a known e-mail: otherwise the time would tell who has an account.
        make_password(password)
        return "unknown_email"
    if not user.check_password(password):
        return "wrong_password"
    return "" if user.is_active else "inactive"


def _record_failure(request: HttpRequest, user: User | None, email: str, reason: str) -> None:
    # A digest recognises the same address again, and stores no stranger's address in the clear,
    # nor a password that was typed into the wrong field.
    digest = hashlib.sha256(normal_email(email).encode()).hexdigest()[:16]
    with transaction.atomic():
        record(
            Action.LOGIN_FAILED,
            origin=stranger(request),
            subject_type="user",
            subject_id=user.pk if user else None,
            subject_owner_id=user.pk if user else None,
            outcome=Outcome.FAILURE,
            reason=reason,
            details={"email_sha256": digest},
        )
