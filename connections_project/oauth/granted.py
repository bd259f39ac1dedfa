"""Which accounts a grant is for, where one person may grant several."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.forgiving import forgiving
from connections_project.oauth.identity import Identity, fetch_json, read_account
from connections_project.oauth.paths import dig
from connections_project.oauth.tokens import ClientRegistration, TokenSet, require_vschar

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GrantedAccount:
    """An account that a grant is for.

    Args:
        tokens: What it is used with.
        shares_tokens: Whether these are the tokens of the grant itself, and so also of the others.
    """

    identity: Identity
    tokens: TokenSet = field(repr=False)
    shares_tokens: bool = False


@dataclass(frozen=True)
class GrantResult:
    """What a grant has brought.

    Args:
        tokens: Those of the grant itself: of whoever gave it.
        granted_by: That user's id at the platform; None where it is unknown.
    """

    tokens: TokenSet = field(repr=False)
    granted_by: str | None
    accounts: tuple[GrantedAccount, ...]


@contextmanager
def granted_by(user: str | None, *, platform: str) -> Iterator[None]:
    """Have a failure in this block say who gave the grant: without, it could not be revoked.

    What nobody has foreseen is one too, which whoever makes one of it further out can't say.
    """
    try:
        with forgiving(platform):
            yield
    except PlatformError as error:
        error.granted_by = user
        raise


def distinct(result: GrantResult) -> GrantResult:
    """Return a result in which each account stands once, where it was first.

    Pages of a list overlap where something was granted or renamed while it was read.
    """
    found: dict[str | None, GrantedAccount] = {}
    for account in result.accounts:
        found.setdefault(account.identity.account_id, account)
    return replace(result, accounts=tuple(found.values()))


def granted_accounts(
    platform: Platform, registration: ClientRegistration, *, tokens: TokenSet, identity: Identity
) -> GrantResult:
    """Return the accounts of a grant; without a `granted_accounts_endpoint`, who granted it.

    Args:
        identity: Who granted it.

    Raises:
        PlatformError: The list can't be had, or holds an id that can't be one; or there is no list,
            and the platform does not say who granted it, so that nobody would know the account
            again.
    """
    url, access_token = platform.granted_accounts_endpoint, tokens.access_token
    if not url:
        return _grantors_own(platform, tokens, identity)
    with granted_by(identity.grantor_id, platform=platform.slug):
        document = fetch_json(platform, registration, url=url, access_token=access_token)
        accounts = read_granted_accounts(platform, document, tokens=tokens)
    return GrantResult(tokens, identity.grantor_id, tuple(accounts))


def _grantors_own(platform: Platform, tokens: TokenSet, identity: Identity) -> GrantResult:
    if identity.account_id is None:
        raise PlatformError("malformed", platform=platform.slug)
    own = GrantedAccount(identity, tokens, shares_tokens=True)
    return GrantResult(tokens, identity.grantor_id, (own,))


def read_granted_accounts(
    platform: Platform, document: Any, *, tokens: TokenSet
) -> list[GrantedAccount]:
    """Read a list of accounts; one that is listed twice counts once.

    Args:
        tokens: Of the grant, for accounts that have none of their own.

    Raises:
        PlatformError: `malformed`: no list, or an id that can't be one.
    """
    entries = dig(document, platform.granted_accounts_field)
    if not isinstance(entries, list):
        raise PlatformError("malformed", platform=platform.slug)
    found: dict[str, GrantedAccount] = {}
    for entry in entries:
        account = _read(platform, entry, tokens)
        if account is not None and account.identity.account_id is not None:
            found.setdefault(account.identity.account_id, account)
    if missing := len(entries) - len(found):
        logger.info("%s: %d entries are no accounts that can be used", platform.slug, missing)
    return list(found.values())


def _read(platform: Platform, entry: Any, tokens: TokenSet) -> GrantedAccount | None:
    """Read an entry; None where it isn't an account of this kind, or has not the token it needs."""
    paths = platform.granted_account_fields
    identity = read_account(platform, entry, id_field=paths["id"], name_field=paths["name"])
    if not paths["token"]:
        return GrantedAccount(identity, tokens, shares_tokens=True)
    token = dig(entry, paths["token"])
    if not isinstance(token, str) or not token:
        return None
    return GrantedAccount(identity, TokenSet(require_vschar(token, platform=platform.slug)))
