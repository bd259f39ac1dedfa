"""The adapter protocol, one for all apps: what a catalogue entry can't say about a platform.

An adapter is a module with a value named `adapter`: the module that the catalogue entry names as
`adapter`, else the one in the app's `adapters/` that is called like the platform's slug. There is
no list to add one to.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import GrantResult, Identity, TokenSet
from connections_project.oauth.transport import Answer
from connections_project.platforms.post_rules import Publishing
from connections_project.platforms.registry import Upstream, upstream

# Reads JSON from an address on a user's behalf; raises PlatformError.
Get = Callable[[str], Any]
ReadTransaction = Callable[[dict[str, Any]], dict[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """What a platform's module does; whatever is None is done as the catalogue says.

    Each function raises PlatformError where the platform refuses, can't be reached or answers
    nonsense, and DeadGrant where it says that the grant is over.

    Args:
        refresh: Renews tokens, of which it is given the old ones and the seconds for all calls.
            Asked for where the catalogue says `refresh = "self_exchange"`.
        revoke: Takes tokens back, within so many seconds; `user_id` says whose they are. Asked for
            where the catalogue says `kind = "adapter"`. Each of its calls has ten seconds at most,
            so that a token that hangs leaves time for the next.
        revoke_extras: Ends what a token answer brought beside tokens (`TokenSet.extras`), within so
            many seconds, once these are revoked; what is gone already counts as ended.
        probe: Asks whose an access token is, within so many seconds, and returns what is answered.
            Asked in place of the `identity_endpoint`, where the catalogue says
            `verify = "identity"`, once the token was revoked.
        identify: Returns whose account it is, in place of what the catalogue says of that.
        granted_accounts: Makes of the tokens that have just come what is kept: for which accounts,
            granted by whom.
        accounts: Lists a user's accounts, each as an object that `account_fields` can read.
        transactions: Lists the recent transactions of the account with this id, each as an object
            that `transaction_fields` can read.
        transaction: Makes of an entry of the transactions' list one that `transaction_fields` can
            read; None where it moved no money. It may raise ValueError.
        publishing: What can be published there, and how; see `platforms.post_rules`.
    """

    refresh: Callable[[Upstream, TokenSet, float], TokenSet] | None = None
    revoke: Callable[[Upstream, TokenSet, float], None] | None = None
    revoke_extras: Callable[[Upstream, TokenSet, float], None] | None = None
    probe: Callable[[Upstream, str, float], Answer] | None = None
    identify: Callable[[Upstream, TokenSet], Identity] | None = None
    granted_accounts: Callable[[Upstream, TokenSet], GrantResult] | None = None
    accounts: Callable[[Platform, Get], list[Any]] | None = None
    transactions: Callable[[Platform, Get, str], list[Any]] | None = None
    transaction: ReadTransaction | None = None
    publishing: Publishing | None = None


def adapter_of(platform: Platform) -> Adapter:
    """Return a platform's adapter; one that does nothing where there is none.

    Raises:
        ImproperlyConfigured: The catalogue names a module that has none.
    """
    package = apps.get_app_config(platform.app).name
    name = platform.adapter or f"{package}.adapters.{platform.slug}"
    if not _exists(name):
        return Adapter()
    found = getattr(importlib.import_module(name), "adapter", None)
    if isinstance(found, Adapter):
        return found
    if platform.adapter:
        raise ImproperlyConfigured(
            f"{name} has no `adapter` (see connections_project/platforms/adapter.py)"
        )
    # Code that adapters share stands beside them, and may be called like some slug.
    return Adapter()


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        # An app without adapters has no package of them.
        return False


def adapter_at(slug: str) -> Adapter:
    """Return the adapter of a slug's platform, which may have left the catalogue."""
    found = upstream(slug)
    return adapter_of(found.platform) if found else Adapter()


def has_extras(slug: str) -> bool:
    """Whether something may come beside a platform's tokens that has to be revoked by itself."""
    return adapter_at(slug).revoke_extras is not None


def missing_functions(platform: Platform) -> dict[str, str]:
    """Return what the catalogue leaves to a platform's adapter, which does not have it.

    Returns:
        By the function's name, what of the entry needs it.
    """
    adapter, revocation = adapter_of(platform), platform.revocation
    missing = {}
    if platform.refresh == "self_exchange" and adapter.refresh is None:
        missing["refresh"] = 'refresh = "self_exchange"'
    if revocation and revocation.kind == "adapter" and adapter.revoke is None:
        missing["revoke"] = 'revocation of kind "adapter"'
    for key in ("balance_endpoint", "transactions_endpoint"):
        # An adapter may make one account of an address that has no list of them.
        endpoint = getattr(platform, key)
        if endpoint and "{account_id}" not in endpoint and adapter.accounts is None:
            missing["accounts"] = f"{key} without {{account_id}}"
    return missing
