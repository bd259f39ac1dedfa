"""The platforms that are shipped."""

from pathlib import Path

import pytest

from connections_project.oauth.catalog import Catalog, load_catalog

SHIPPED = Path(__file__).resolve().parents[2] / "providers" / "catalog.toml"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(SHIPPED)


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


def test_revoking_at_tradestation_is_known_to_hit_everybody(catalog: Catalog) -> None:
    revocation = catalog["tradestation"].revocation

    assert revocation is not None
    assert revocation.blast_radius == "client"


@pytest.mark.parametrize("slug", ["schwab", "alpaca", "chase"])
def test_no_revocation_is_guessed_and_people_are_told_where_to_go(
    catalog: Catalog, slug: str
) -> None:
    assert catalog[slug].revocation is None
    assert catalog[slug].help_url


def test_schwabs_login_ends_after_a_week(catalog: Catalog) -> None:
    assert (catalog["schwab"].refresh, catalog["schwab"].grant_lifetime_days) == ("static", 7)


def test_each_value_says_how_well_it_is_known() -> None:
    """An endpoint or a status that nobody vouches for must not look as if somebody did."""
    marks = ("official", "quoted", "secondary", "unverified")
    endpoints = [line for line in SHIPPED.read_text().splitlines() if '= "https://' in line]

    assert len(endpoints) > 10
    assert [line for line in endpoints if not any(mark in line for mark in marks)] == []
