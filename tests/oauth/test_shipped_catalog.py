"""The platforms that are shipped."""

from pathlib import Path

import pytest

from connections_project.oauth.catalog import Catalog, load_catalog

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [ROOT / app / "catalog.toml" for app in ("providers", "channels")]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(*SHIPPED)


def test_the_shipped_providers_are_these(catalog: Catalog) -> None:
    statuses = {platform.slug: platform.status for platform in catalog.of_app("providers")}

    assert statuses == {
        "schwab": "active",
        "coinbase": "active",
        "monzo": "active",
        "tradestation": "active",
        "alpaca": "active",
        "chase": "planned",
    }


def test_the_shipped_channels_are_these(catalog: Catalog) -> None:
    statuses = {platform.slug: platform.status for platform in catalog.of_app("channels")}

    assert statuses == {
        "x": "active",
        "linkedin": "active",
        "youtube": "active",
        "tiktok": "active",
        "pinterest": "active",
        "reddit": "active",
        "discord": "active",
        "mastodon": "active",
        "bluesky": "unsupported",
    }


def test_tradestation_revocation_hits_everybody(catalog: Catalog) -> None:
    revocation = catalog["tradestation"].revocation

    assert revocation is not None
    assert revocation.blast_radius == "client"


@pytest.mark.parametrize("slug", ["schwab", "alpaca", "chase", "pinterest", "bluesky"])
def test_without_revocation_there_is_a_help_link(catalog: Catalog, slug: str) -> None:
    assert catalog[slug].revocation is None
    assert catalog[slug].help_url


def test_schwabs_login_ends_after_a_week(catalog: Catalog) -> None:
    assert (catalog["schwab"].refresh, catalog["schwab"].grant_lifetime_days) == ("static", 7)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_each_value_says_how_well_it_is_known(path: Path) -> None:
    """An endpoint or a status that nobody vouches for must not look as if somebody did."""
    marks = ("official", "quoted", "archived", "secondary", "unverified")
    endpoints = [line for line in path.read_text().splitlines() if '= "https://' in line]

    assert len(endpoints) > 10
    assert [line for line in endpoints if not any(mark in line for mark in marks)] == []


@pytest.mark.parametrize("slug", ["youtube", "tiktok", "discord"])
def test_grant_wide_revocations_are_declared(catalog: Catalog, slug: str) -> None:
    revocation = catalog[slug].revocation

    assert revocation is not None
    assert revocation.blast_radius == "grant"


@pytest.mark.parametrize("host", ["twitter.com", "o/oauth2/revoke", "ssl.reddit.com"])
def test_outdated_addresses_are_gone(catalog: Catalog, host: str) -> None:
    assert [one.slug for one in catalog.all() if host in repr(one)] == []
