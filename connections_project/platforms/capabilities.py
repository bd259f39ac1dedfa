"""What the service can do at each platform, as the catalogue and the adapters say."""

from collections.abc import Iterable
from typing import Any, Literal

from connections_project.oauth.catalog import Platform
from connections_project.platforms.adapter import Adapter, adapter_of
from connections_project.platforms.post_rules import ImageRule

COLUMNS = (
    *("platform", "app", "identity", "accounts", "balances", "transactions", "lists"),
    *("refresh", "dead grant", "revocation", "verified by"),
    *("publishes", "pictures", "options", "notices"),
)
NO = "no"


def capabilities(platform: Platform) -> tuple[str, ...]:
    """Return a platform's row, a text for each of COLUMNS; NO where it has no such thing."""
    adapter = adapter_of(platform)
    return (
        f"`{platform.slug}`" + ("" if platform.status == "active" else f" ({platform.status})"),
        platform.app,
        _identity(platform, adapter),
        *_reading(platform, adapter),
        platform.refresh,
        _dead_grant(platform),
        _revocation(platform),
        _verification(platform),
        *_publishing(platform, adapter),
        platform.deauthorization or NO,
    )


def table(platforms: Iterable[Platform]) -> str:
    """Return a Markdown table of platforms, without a line break at its end."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(capabilities, platforms)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _identity(platform: Platform, adapter: Adapter) -> str:
    if platform.status != "active":
        return NO
    if platform.identity_endpoint:
        return "endpoint"
    by_adapter = adapter.identify or adapter.granted_accounts
    return "adapter" if by_adapter else "token response"


def _reading(platform: Platform, adapter: Adapter) -> tuple[str, str, str, str]:
    if not (platform.accounts_endpoint or adapter.accounts):
        return NO, NO, NO, NO
    has_balance = platform.balance_endpoint or platform.account_fields["balance"]
    has_transactions = platform.transactions_endpoint or adapter.transactions
    lists = platform.paging if platform.paging != "none" else "one page"
    return "yes", _yes(has_balance), _yes(has_transactions), lists


def publishes(platform: Platform) -> dict[str, Any] | Literal[False]:
    """Return what can be published at a platform, as clients are shown it; False for nothing."""
    publishing = adapter_of(platform).publishing
    if publishing is None or platform.status != "active":
        return False
    return publishing.described(platform)


def _publishing(platform: Platform, adapter: Adapter) -> tuple[str, str, str]:
    publishing = adapter.publishing
    if publishing is None or platform.status != "active":
        return f"{NO}: {platform.no_publishing}" if platform.no_publishing else NO, NO, NO
    options = ", ".join(
        f"`{name}`" + (" (required)" if one.required else "")
        for name, one in publishing.options.items()
    )
    length = f"{publishing.longest_text(platform):,} characters"
    return length, _pictures(publishing.image), options or NO


def _pictures(rule: ImageRule | None) -> str:
    if rule is None:
        return NO
    how = "as bytes" if rule.is_uploaded else "by address"
    return f"{how}, required" if rule.required else how


def _yes(value: object) -> str:
    return "yes" if value else NO


def _dead_grant(platform: Platform) -> str:
    if platform.status != "active":
        return NO
    at = {matcher.at for matcher in platform.dead_grant if matcher.becomes != "unchanged"}
    known = [place for place in ("token", "api") if at & {place, None}]
    return " and ".join(known) or NO


def _revocation(platform: Platform) -> str:
    revocation = platform.revocation
    return f"{revocation.kind}, of a {revocation.blast_radius}" if revocation else NO


def _verification(platform: Platform) -> str:
    verify = platform.revocation.verify if platform.revocation else "none"
    return NO if verify == "none" else verify
