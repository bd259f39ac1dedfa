"""Which accounts a grant is for, where one person may grant several."""

import logging
from dataclasses import dataclass, field
from typing import Any

from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.identity import Identity, fetch_json, read_account
from connections_project.oauth.paths import dig
from connections_project.oauth.tokens import ClientRegistration, TokenSet, require_vschar

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GrantedAccount:
    """An account and its own token; None where it is used with the token of the grant."""

    identity: Identity
    access_token: str | None = field(default=None, repr=False)


def granted_accounts(
    platform: Platform,
    registration: ClientRegistration,
    *,
    tokens: TokenSet,
    identity: Identity,
    within: float = 10.0,
) -> list[GrantedAccount]:
    """Ask which accounts a grant is for; without a `granted_accounts_endpoint`, who granted it.

    Args:
        platform: Whose catalogue entry says where the list is.
        registration: Our client there.
        tokens: Of the grant.
        identity: Who granted it.
        within: Seconds for the whole call.

    Raises:
        PlatformError: The list can't be had, or holds an id that can't be one.
    """
    if not platform.granted_accounts_endpoint:
        return [GrantedAccount(identity)]
    document = fetch_json(
        platform,
        registration,
        url=platform.granted_accounts_endpoint,
        access_token=tokens.access_token,
        within=within,
    )
    return read_granted_accounts(platform, document)


def read_granted_accounts(platform: Platform, document: Any) -> list[GrantedAccount]:
    """Read a list of accounts; one that is listed twice counts once.

    Raises:
        PlatformError: `malformed`: no list, or an id that can't be one.
    """
    entries = dig(document, platform.granted_accounts_field)
    if not isinstance(entries, list):
        raise PlatformError("malformed", platform=platform.slug)
    found: dict[str, GrantedAccount] = {}
    for entry in entries:
        account = _read(platform, entry)
        if account is not None and account.identity.account_id is not None:
            found.setdefault(account.identity.account_id, account)
    if missing := len(entries) - len(found):
        logger.info("%s: %d entries are no accounts that can be used", platform.slug, missing)
    return list(found.values())


def _read(platform: Platform, entry: Any) -> GrantedAccount | None:
    """Read an entry; None where it isn't an account of this kind, or has not the token it needs."""
    paths = platform.granted_account_fields
    identity = read_account(platform, entry, id_field=paths["id"], name_field=paths["name"])
    if not paths["token"]:
        return GrantedAccount(identity)
    token = dig(entry, paths["token"])
    if not isinstance(token, str) or not token:
        return None
    return GrantedAccount(identity, require_vschar(token, platform=platform.slug))
