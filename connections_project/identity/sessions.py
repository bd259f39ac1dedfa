"""Sign-ins as families of refresh tokens: begun, rotated, ended, forgotten."""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from rest_framework_simplejwt.tokens import RefreshToken

from audit.events import Action
from audit.record import Origin
from connections_project.core import clock
from connections_project.identity import tokens
from connections_project.identity.models import SessionFamily, User
from connections_project.identity.records import record_about_user
from connections_project.identity.session_store import SessionStore
from connections_project.identity.tokens import BadTokenError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TokenPair:
    """What a sign-in hands out (RFC 6749, section 5.1). `expires_in` is in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    token_type: str = "bearer"  # noqa: S105 The word of RFC 6750, no password.


def begin(user: User) -> TokenPair:
    """Start a family for a principal who has just proved who it is."""
    # Families past their end have no other use, and this is the one place where their number grows.
    now = clock.now()
    SessionFamily.objects.filter(user=user, expires_at__lte=now).delete()
    family = SessionFamily.objects.create(user=user, created_at=now, **_newest_token())
    return _pair(user, family)


def rotate(raw: str) -> TokenPair:
    """Exchange the youngest refresh token of a family for a new one.

    Of two exchanges of the same token one wins, and the other one ends the family.

    Args:
        raw: The refresh token as it was sent.

    Raises:
        BadTokenError: Not a refresh token of ours, no longer good, or used before.
    """
    claims = tokens.read(RefreshToken, raw)
    user = tokens.principal_of(claims)
    family_id, youth = tokens.claimed_id(claims, "family"), _newest_token()
    with transaction.atomic():
        family = SessionFamily.objects.filter(pk=family_id, user=user, revoked_at=None)
        youngest = family.filter(
            current_jti=tokens.claimed_id(claims, "jti"), expires_at__gt=clock.now()
        )
        won = youngest.update(**youth)
        lost = 0 if won else family.update(revoked_at=clock.now())
    if lost:
        logger.warning("A used refresh token came back: session family %s is dead.", family_id)
    if not won:
        raise BadTokenError
    return _pair(user, SessionFamily(pk=family_id, user=user, **youth))


def end(raw: str) -> None:
    """End the family of a refresh token; one that is dead already stays so (RFC 7009, section 2.2).

    Raises:
        BadTokenError: The token was not signed here, or is no refresh token.
    """
    family_id = tokens.claimed_id(tokens.read_even_if_expired(RefreshToken, raw), "family")
    SessionFamily.objects.filter(pk=family_id, revoked_at=None).update(revoked_at=clock.now())


def end_all(user: User, *, until: datetime, origin: Origin, reason: str) -> bool:
    """Refuse a principal's tokens and sessions that there were until a moment.

    Args:
        until: Tokens issued then or before are refused; later than now is now.
        reason: Why, at most 512 characters.

    Returns:
        Whether any can have been good till now.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        now = clock.now()
        moment = min(until, now)
        if locked.sessions_ended_at is not None and locked.sessions_ended_at >= moment:
            return False
        locked.sessions_ended_at = moment
        locked.save(update_fields=["sessions_ended_at"])
        SessionFamily.objects.filter(user=locked, revoked_at=None, created_at__lte=moment).update(
            revoked_at=now
        )
        record_about_user(Action.SESSIONS_ENDED, locked.pk, origin=origin, reason=reason)
    return True


def _newest_token() -> dict[str, Any]:
    """Name the token that a family has from now on, and its end in whole seconds as JWTs count."""
    expires_at: datetime = clock.now().replace(microsecond=0) + RefreshToken.lifetime
    return {"current_jti": uuid4(), "expires_at": expires_at}


def _pair(user: User, family: SessionFamily) -> TokenPair:
    return TokenPair(
        access_token=tokens.access_token(user),
        refresh_token=tokens.refresh_token(user, family),
        expires_in=settings.ACCESS_TOKEN_SECONDS,
    )


def forget_ended_sessions() -> int:
    """Forget sign-ins whose last refresh token has ended, and the admin's ended sessions.

    Returns:
        How many sign-ins were forgotten.
    """
    SessionStore.clear_expired()
    forgotten, _ = SessionFamily.objects.filter(expires_at__lte=clock.now()).delete()
    return forgotten
