"""Schwab: accounts whose names and addresses stand elsewhere than their balances.

Transactions are asked for by a hash of the account's number, which `accountNumbers` tells, and
people's own names for their accounts stand in their preferences.
"""

from typing import Any

from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.paths import dig
from connections_project.platforms.adapter import Adapter, Get

NUMBER = "securitiesAccount.accountNumber"


def accounts(platform: Platform, get: Get) -> list[Any]:
    """Return the accounts, each with its `hashValue` and its `nickName`."""
    entries = get(platform.accounts_endpoint)
    if not isinstance(entries, list):
        raise PlatformError("malformed", platform=platform.slug)
    numbers = f"{platform.accounts_endpoint.rstrip('/')}/accountNumbers"
    hashes = _by_number(get(numbers))
    preferences = _by_number(dig(_preferences(platform, get), "accounts"))
    return [_joined(entry, hashes, preferences) for entry in entries]


def _preferences(platform: Platform, get: Get) -> Any:
    """Return the user's preferences: an object, or a list of one."""
    preference = get(platform.identity_endpoint)
    return preference[0] if isinstance(preference, list) and preference else preference


def _by_number(entries: Any) -> dict[str, dict[str, Any]]:
    found = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return {str(one.get("accountNumber")): one for one in found}


def _joined(
    entry: Any, hashes: dict[str, dict[str, Any]], preferences: dict[str, dict[str, Any]]
) -> Any:
    if not isinstance(entry, dict):
        return entry
    number = str(dig(entry, NUMBER))
    found = {
        "hashValue": hashes.get(number, {}).get("hashValue"),
        "nickName": preferences.get(number, {}).get("nickName"),
    }
    return {**entry, **found}


adapter = Adapter(accounts=accounts)
