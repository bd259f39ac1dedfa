"""What the platforms demand, in their own pages' words: a slip in the catalogue shows here."""

import pytest

from connections_project.oauth.catalog import Platform
from tests.platforms.contract.conftest import PLATFORMS

# client authentication, PKCE, scope, refresh, how and what it takes back, and what that ends
FACTS = {
    "schwab": ("client_secret_basic", "none", "", "static", None),
    "coinbase": (
        "client_secret_post",
        "S256",
        "wallet:user:read,wallet:accounts:read,wallet:transactions:read,offline_access",
        "rotating",
        ("bearer_post", ("access_token",), True, "token"),
    ),
    "monzo": (
        "client_secret_post",
        "none",
        "",
        "rotating",
        ("bearer_post", ("access_token",), False, "grant"),
    ),
    "tradestation": (
        "client_secret_post",
        "none",
        "openid offline_access profile ReadAccount",
        "static",
        ("json_post", ("refresh_token",), True, "client"),
    ),
    "alpaca": ("client_secret_post", "none", "", "none", None),
    "x": (
        "client_secret_basic",
        "S256",
        "users.read tweet.read tweet.write media.write offline.access",
        "rotating",
        ("rfc7009", ("refresh_token", "access_token"), True, "token"),
    ),
    "linkedin": (
        "client_secret_post",
        "none",
        "openid profile w_member_social",
        "static",
        ("rfc7009", ("access_token", "refresh_token"), True, "token"),
    ),
    "youtube": (
        "client_secret_post",
        "S256",
        "openid profile https://www.googleapis.com/auth/youtube.readonly "
        "https://www.googleapis.com/auth/youtube.upload",
        "static",
        ("rfc7009", ("refresh_token", "access_token"), False, "grant"),
    ),
    "tiktok": (
        "client_secret_post",
        "none",
        "user.info.basic,video.publish",
        "rotating",
        ("rfc7009", ("access_token",), True, "grant"),
    ),
    "pinterest": (
        "client_secret_basic",
        "none",
        "user_accounts:read,boards:read,pins:read,pins:write",
        "rotating",
        None,
    ),
    "reddit": (
        "client_secret_basic",
        "none",
        "identity read submit",
        "static",
        ("rfc7009", ("refresh_token", "access_token"), True, "token"),
    ),
    "discord": (
        "client_secret_basic",
        "none",
        "identify webhook.incoming",
        "rotating",
        ("rfc7009", ("refresh_token", "access_token"), True, "grant"),
    ),
    "mastodon": (
        "client_secret_post",
        "S256",
        "read:accounts write:statuses write:media",
        "none",
        ("rfc7009", ("access_token",), True, "token"),
    ),
}


def facts_of(platform: Platform) -> tuple[object, ...]:
    revocation = platform.revocation
    return (
        platform.token_endpoint_auth_method,
        platform.code_challenge_method,
        platform.scope_separator.join(platform.scopes),
        platform.refresh,
        revocation
        and (revocation.kind, revocation.tokens, revocation.client_auth, revocation.blast_radius),
    )


@pytest.mark.parametrize("slug", PLATFORMS)
def test_the_catalogue_says_what_the_platform_demands(slug: str) -> None:
    assert facts_of(PLATFORMS[slug]) == FACTS[slug]


def test_some_want_more_in_an_authorization_request() -> None:
    extra = {slug: dict(one.extra_authorization_params) for slug, one in PLATFORMS.items()}
    assert {slug: more for slug, more in extra.items() if more} == {
        "tradestation": {"audience": "https://api.tradestation.com"},
        "youtube": {"access_type": "offline", "prompt": "consent"},
        "reddit": {"duration": "permanent"},
    }


def test_tiktok_calls_the_client_id_otherwise() -> None:
    names = {slug: one.client_id_parameter for slug, one in PLATFORMS.items()}
    assert {slug: name for slug, name in names.items() if name != "client_id"} == {
        "tiktok": "client_key"
    }


def test_some_grants_have_a_known_end() -> None:
    ends = {slug: one.grant_lifetime_days for slug, one in PLATFORMS.items()}
    assert {slug: days for slug, days in ends.items() if days} == {"schwab": 7, "linkedin": 365}
