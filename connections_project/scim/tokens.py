"""Directories' tokens: made, found by what a request brings, revoked."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.events import Action
from audit.record import Origin, record
from connections_project.core.text import is_deceptive
from connections_project.scim.models import LONGEST_NAME, ScimToken

# A fixed beginning lets scanners for leaked secrets know a token of ours.
_TOKEN = re.compile(r"(?P<prefix>scim_[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})")
# What no token begins with, and hashes to: a malformed one costs as much as a wrong one.
_NO_PREFIX, _NO_DIGEST = "scim_", "0" * 64
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class BadScimTokenError(Exception):
    """Not a token of ours, or one that is no longer good; which of it is not said."""


class InvalidTokenRequestError(ValueError):
    """A token can't be made so; the text says what to change."""


class TokenNotFoundError(Exception):
    """There is no such token."""


@dataclass(frozen=True)
class NewToken:
    """A token that has just been made. `text` is the token itself, which nobody can see again."""

    token: ScimToken
    text: str = field(repr=False)


def create_token(*, name: str, issuer: str, origin: Origin) -> NewToken:
    """Create a token.

    Args:
        name: What it is listed and revoked by, at most 100 characters.
        issuer: The name of its issuer's table in IDENTITY_ISSUERS.

    Raises:
        InvalidTokenRequestError: The name is none or taken, or there is no such issuer.
    """
    known = settings.IDENTITY.issuer_named(issuer)
    if known is None:
        raise InvalidTokenRequestError(f"IDENTITY_ISSUERS has no table [issuers.{issuer}]")
    if not 0 < len(name.strip()) <= LONGEST_NAME or is_deceptive(name):
        raise InvalidTokenRequestError("the name needs 1 to 100 characters, in one line")
    prefix, secret = f"scim_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    made = ScimToken(
        name=name.strip(), issuer=known.issuer, prefix=prefix, secret_sha256=_digest(secret)
    )
    try:
        with transaction.atomic():
            made.save()
            _record(Action.SCIM_TOKEN_CREATED, made, origin=origin)
    except IntegrityError:
        raise InvalidTokenRequestError("there is a token of that name: revoke it first") from None
    return NewToken(made, f"{prefix}_{secret}")


def revoke_token(*, name: str, origin: Origin) -> ScimToken:
    """Revoke the token of a name for good.

    Raises:
        TokenNotFoundError: There is none that is good.
    """
    with transaction.atomic():
        tokens = ScimToken.objects.select_for_update()
        token = tokens.filter(name=name, revoked_at=None).first()
        if token is None:
            raise TokenNotFoundError
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _record(Action.SCIM_TOKEN_REVOKED, token, origin=origin)
    return token


def find_token(raw: str) -> ScimToken:
    """Find the token that a request bears, by one query, whatever is wrong with it.

    Raises:
        BadScimTokenError: Unknown, forged, revoked, or of an issuer that nobody knows any more.
    """
    match = _TOKEN.fullmatch(raw)
    prefix, secret = match.groups() if match else (_NO_PREFIX, raw)
    token = ScimToken.objects.filter(prefix=prefix).first()
    is_genuine = hmac.compare_digest(_digest(secret), token.secret_sha256 if token else _NO_DIGEST)
    if token is None or not is_genuine or token.revoked_at is not None:
        raise BadScimTokenError
    if token.issuer not in settings.IDENTITY.issuers:
        raise BadScimTokenError
    _note_use(token, now=timezone.now())
    return token


def listed_tokens(*, revoked: bool = False) -> "QuerySet[ScimToken]":
    """Find tokens, the newest first; revoked ones where they are asked for."""
    tokens = ScimToken.objects.order_by("-pk")
    return tokens if revoked else tokens.filter(revoked_at=None)


def _digest(secret: str) -> str:
    # A header may hold anything, also what UTF-8 has no bytes for.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _note_use(token: ScimToken, *, now: datetime) -> None:
    """Note when a token was last used, by at most one write a minute over all processes."""
    limit = now - USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < limit:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=limit)
        ScimToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _record(action: Action, token: ScimToken, *, origin: Origin) -> None:
    record(
        action,
        origin=origin,
        subject_type="scim_token",
        subject_id=token.pk,
        subject_owner_id=None,
        details={"prefix": token.prefix, "name": token.name, "issuer": token.issuer},
    )
