"""Directories' tokens: made, found by what a request brings, revoked."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.events import Action
from audit.record import Origin, record
from connections_project.core import clock
from connections_project.core.text import is_deceptive
from connections_project.identity.prefixed_tokens import TokenFormat, note_use
from connections_project.scim.models import LONGEST_NAME, ScimToken

FORMAT = TokenFormat("scim")


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
    new = FORMAT.new()
    made = ScimToken(
        name=name.strip(), issuer=known.issuer, prefix=new.prefix, secret_sha256=new.digest
    )
    try:
        with transaction.atomic():
            made.save()
            _record(Action.SCIM_TOKEN_CREATED, made, origin=origin)
    except IntegrityError:
        raise InvalidTokenRequestError("there is a token of that name: revoke it first") from None
    return NewToken(made, new.token)


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
        token.revoked_at = clock.now()
        token.save(update_fields=["revoked_at"])
        _record(Action.SCIM_TOKEN_REVOKED, token, origin=origin)
    return token


def find_token(raw: str) -> ScimToken:
    """Find the token that a request bears, by one query, whatever is wrong with it.

    Raises:
        BadScimTokenError: Unknown, forged, revoked, or of an issuer that nobody knows any more.
    """
    token = FORMAT.find(ScimToken.objects.all(), raw)
    if token is None or token.revoked_at is not None:
        raise BadScimTokenError
    if token.issuer not in settings.IDENTITY.issuers:
        raise BadScimTokenError
    note_use(token, now=clock.now())
    return token


def listed_tokens(*, revoked: bool = False) -> "QuerySet[ScimToken]":
    """Find tokens, the newest first; revoked ones where they are asked for."""
    tokens = ScimToken.objects.order_by("-pk")
    return tokens if revoked else tokens.filter(revoked_at=None)


def _record(action: Action, token: ScimToken, *, origin: Origin) -> None:
    record(
        action,
        origin=origin,
        subject_type="scim_token",
        subject_id=token.pk,
        subject_owner_id=None,
        details={"prefix": token.prefix, "name": token.name, "issuer": token.issuer},
    )
