"""What the platforms demand, in their own pages' words: a slip in the catalogue shows here."""

import pytest

from connections_project.oauth.catalog import Platform
from tests.contract.conftest import PLATFORMS

# client authentication, PKCE, scope, refresh, how and what it takes back, and what that ends
FACTS = {
    "schwab": ("client_secret_basic", "none", "", "static", None),
    "coinbase": (
        "client_secret_post",
        "S256",
        "wallet:user:read,wallet:accounts:read,offline_access",
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


def test_only_tradestation_wants_an_audience() -> None:
    extra = {slug: dict(one.extra_authorization_params) for slug, one in PLATFORMS.items()}
    audience = {"audience": "https://api.tradestation.com"}
    assert extra == {slug: audience if slug == "tradestation" else {} for slug in PLATFORMS}
