"""What a grant at Meta brings: long-lived tokens, and a person's Pages with tokens of their own."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connections_project.oauth.client import GrantedAccount, GrantResult, Identity, TokenSet
from connections_project.oauth.granted import granted_by, read_granted_accounts
from connections_project.oauth.paths import dig_text
from connections_project.oauth.token_answers import unusable_tokens_as
from connections_project.oauth.tokens import require_vschar
from connections_project.platforms.registry import Upstream
from social.adapters.meta import graph

logger = logging.getLogger(__name__)

# Each has up to 100 Pages.
MOST_LISTS = 50


def granted_pages(upstream: Upstream, tokens: TokenSet) -> GrantResult:
    """Exchange the token for a long-lived one, and return the Pages and their tokens.

    A Page's token that was asked for so has no end date (Meta, "Get a long-lived Page access
    token"). The user's own stands beside it, as what is exchanged for itself.

    Raises:
        PlatformError: One of the calls failed.
    """
    user = _lengthened(upstream, tokens.access_token, within=10.0)
    identity = graph.identify(upstream, user.access_token)
    with granted_by(identity.account_id, platform=upstream.platform.slug):
        accounts = [
            replace(page, tokens=_page_tokens(page.tokens.access_token, user))
            for page in _pages(upstream, user)
        ]
    return GrantResult(user, identity.account_id, tuple(accounts))


def renew_user(upstream: Upstream, tokens: TokenSet, within: float) -> TokenSet:
    """Renew the user's token that stands beside a Page's, which stays as it is.

    Raises:
        DeadGrant, PlatformError: See `graph.exchange`.
    """
    as_stored = partial(_page_tokens, tokens.access_token)
    with unusable_tokens_as(as_stored):
        return as_stored(_lengthened(upstream, tokens.refresh_token or "", within=within))


def with_at_signs(result: GrantResult) -> GrantResult:
    """Write user names as people know them, `@name`."""
    accounts = [replace(one, identity=_with_at_sign(one.identity)) for one in result.accounts]
    return replace(result, accounts=tuple(accounts))


def _with_at_sign(identity: Identity) -> Identity:
    name = identity.account_name
    return replace(identity, account_name=f"@{name.removeprefix('@')}") if name else identity


def _lengthened(upstream: Upstream, user_token: str, *, within: float) -> TokenSet:
    """Exchange a user's token for one that lives about 60 days from now.

    https://developers.facebook.com/documentation/facebook-login/guides/access-tokens/get-long-lived
    """
    platform, registration = upstream.platform, upstream.registration
    parameters = {
        "grant_type": "fb_exchange_token",
        "client_id": registration.client_id,
        "client_secret": registration.client_secret,
        "fb_exchange_token": require_vschar(user_token, platform=platform.slug),
    }
    url = platform.token_endpoint
    return graph.exchange(platform, url=url, parameters=parameters, within=within)


def _page_tokens(page_token: str, user: TokenSet) -> TokenSet:
    ends_in = user.expires_in or graph.SIXTY_DAYS
    return TokenSet(page_token, user.access_token, refresh_expires_in=ends_in, scope=user.scope)


def _pages(upstream: Upstream, user: TokenSet) -> Iterator[GrantedAccount]:
    platform, after, asked = upstream.platform, "", set[str]()
    while after not in asked and len(asked) < MOST_LISTS:
        asked.add(after)
        url = graph.with_query(
            platform.granted_accounts_endpoint, {"after": after} if after else {}
        )
        document = graph.read(
            platform, upstream.registration, url=url, access_token=user.access_token
        )
        yield from read_granted_accounts(platform, document, tokens=user)
        after = _following(document)
        if not after:
            return
    # Too many, or they go round in a circle.
    logger.warning("%s: Pages beyond %d lists are left out", platform.slug, len(asked))


def _following(document: Any) -> str:
    """Return the cursor of the next list; empty at the end.

    Only the cursor is taken: the whole address that it may stand in holds the token.
    """
    following = dig_text(document, "paging.next")
    in_address = dict(parse_qsl(urlsplit(following).query)).get("after", "")
    return (dig_text(document, "paging.cursors.after") or in_address) if following else ""
