"""Codes for the day an operator's authenticator is lost: each is good once."""

import hashlib
import re
import secrets
from base64 import b32encode

from connections_project.identity.models import Authenticator, RecoveryCode

HOW_MANY = 10
_CODE = re.compile(r"[A-Z2-7]{16}")


def make_codes(authenticator: Authenticator) -> tuple[str, ...]:
    """Make the codes of an authenticator that has none; they can't be shown again."""
    codes = tuple(b32encode(secrets.token_bytes(10)).decode() for _ in range(HOW_MANY))
    RecoveryCode.objects.bulk_create(
        RecoveryCode(authenticator=authenticator, code_sha256=_digest(code)) for code in codes
    )
    return tuple("-".join(re.findall("....", code)) for code in codes)


def is_recovery_code(typed: str) -> bool:
    """Whether what was typed can only be one, however it was grouped."""
    return _CODE.fullmatch(_normal(typed)) is not None


def spend(authenticator: Authenticator, typed: str) -> bool:
    """Use a code up, and return whether it was good. The caller has locked the authenticator."""
    if not authenticator.verify_is_allowed()[0]:
        return False
    digest = _digest(_normal(typed))
    spent, _ = RecoveryCode.objects.filter(authenticator=authenticator, code_sha256=digest).delete()
    if spent:
        authenticator.throttle_reset()
    else:
        authenticator.throttle_increment()
    return bool(spent)


def _normal(typed: str) -> str:
    return re.sub(r"[\s-]", "", typed).upper()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
