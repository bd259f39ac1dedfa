"""Operators' second factor: codes of an authenticator app (TOTP, RFC 6238)."""

import secrets
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction

from audit.events import Action
from audit.record import Origin
from connections_project.core.vault import DecryptionError, seal
from connections_project.identity import recovery_codes
from connections_project.identity.fields import normal_email
from connections_project.identity.models import Authenticator, User
from connections_project.identity.qr_codes import qr_code
from connections_project.identity.records import record_about_user

# As long as the digest of HMAC-SHA-1 (RFC 4226, section 4, R6).
KEY_BYTES = 20


class NoSuchOperatorError(Exception):
    """No active operator has this e-mail."""


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs. It is shown once and stored sealed."""

    secret: str = field(repr=False)
    otpauth_uri: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


def enrol(user: User) -> Enrolment:
    """Return a user a fresh authenticator; whatever was enrolled before is good no longer.

    To be called in a transaction, with the audit event about it.
    """
    Authenticator.objects.filter(user=user).delete()
    key = secrets.token_bytes(KEY_BYTES)
    made = Authenticator(user=user, name="authenticator app")
    made.sealed_key = seal({"key": key.hex()}, subject=made.vault_subject)
    made.save()
    secret = b32encode(key).decode()
    return Enrolment(secret, _uri(user, secret), recovery_codes.make_codes(made))


def reset(*, email: str, origin: Origin) -> Enrolment:
    """Return an operator who has lost the authenticator another one; sessions of the old one end.

    Args:
        email: In any case.

    Raises:
        NoSuchOperatorError: Nobody active with this e-mail enters the admin.
    """
    operators = User.objects.filter(is_staff=True, is_active=True)
    with transaction.atomic():
        user = operators.select_for_update().filter(email=normal_email(email)).first()
        if user is None:
            raise NoSuchOperatorError(email)
        enrolment = enrol(user)
        record_about_user(Action.SECOND_FACTOR_RESET, user.pk, origin=origin)
    return enrolment


def refusal(user: User, code: str, *, origin: Origin) -> str:
    """Check a code, and set the user's device, which django-otp keeps in the session.

    A recovery code does as well, once.

    Returns:
        Why it was refused, in a word for the audit; empty where it was taken.
    """
    with transaction.atomic():
        device = Authenticator.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return "no_second_factor"
        try:
            taken = _is_taken(device, code, origin)
        except DecryptionError:
            return "unreadable_second_factor"
    if not taken:
        return "wrong_code"
    user.otp_device = device  # type: ignore[attr-defined]
    return ""


def _is_taken(device: Authenticator, code: str, origin: Origin) -> bool:
    if not recovery_codes.is_recovery_code(code):
        return device.verify_token(code)
    taken = recovery_codes.spend(device, code)
    if taken:
        left, action = device.recovery_codes.count(), Action.RECOVERY_CODE_USED
        record_about_user(action, device.user_id, origin=origin, details={"left": left})
    return taken


def _uri(user: User, secret: str) -> str:
    """Write the key as authenticator apps scan it (github.com/google/google-authenticator/wiki)."""
    issuer = f"Connections {settings.PUBLIC_URL.partition('://')[2]}".replace(":", " ")
    label = quote(f"{issuer}:{user.email}", safe="")
    parameters = {"secret": secret, "issuer": issuer, "digits": 6, "period": 30}
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def enrolment_as_json(enrolment: Enrolment) -> dict[str, Any]:
    """Return an enrolment as a command's `--json` prints it."""
    return {
        "totp_secret": enrolment.secret,
        "otpauth_uri": enrolment.otpauth_uri,
        "recovery_codes": list(enrolment.recovery_codes),
    }


def enrolment_as_text(enrolment_as_json: dict[str, Any], *, shows: Callable[[str], bool]) -> str:
    """Return an enrolment as a command prints it for people, with a QR code to scan.

    Args:
        enrolment_as_json: As the function of this name returns it.
        shows: Whether the output has these characters; without them there is no QR code.
    """
    picture = qr_code(enrolment_as_json["otpauth_uri"]) + "\n"
    codes = "\n".join(f"  {code}" for code in enrolment_as_json["recovery_codes"])
    return (
        "Enrol it in an authenticator app now; it is not shown again.\n"
        f"{picture if shows(picture) else ''}"
        f"Secret: {enrolment_as_json['totp_secret']}\n"
        f"Address: {enrolment_as_json['otpauth_uri']}\n"
        f"Recovery codes, each good once in place of the app's; keep them apart from it:\n{codes}"
    )
