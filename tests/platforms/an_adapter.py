"""An adapter of everything that a catalogue entry may leave to one."""

from typing import Any

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.adapter import Adapter, Get
from connections_project.platforms.registry import Upstream

REVOKED: list[str] = []


def refresh(_upstream: Upstream, tokens: TokenSet, _within: float) -> TokenSet:
    return TokenSet(f"exchanged {tokens.refresh_token}")


def revoke(_upstream: Upstream, tokens: TokenSet, _within: float) -> None:
    REVOKED.append(tokens.access_token)


def identify(_upstream: Upstream, tokens: TokenSet) -> Identity:
    return Identity("adapted", tokens.access_token)


def accounts(platform: Platform, get: Get) -> list[Any]:
    """Read the one account that an address is, which is no list."""
    return [get(platform.accounts_endpoint)]


def transactions(platform: Platform, get: Get, account_id: str) -> list[Any]:
    """Read a list that is asked for by a parameter."""
    entries: list[Any] = get(f"{platform.token_endpoint}?account={account_id}")
    return entries


adapter = Adapter(
    refresh=refresh,
    revoke=revoke,
    identify=identify,
    accounts=accounts,
    transactions=transactions,
)
