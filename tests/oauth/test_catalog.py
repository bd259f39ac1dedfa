"""The catalogue: what a table may say, and the message where it is wrong."""

from dataclasses import fields
from pathlib import Path

import pytest

from connections_project.oauth import catalog_rules
from connections_project.oauth.catalog import (
    CatalogError,
    DeadGrantMatcher,
    Platform,
    Revocation,
    load_catalog,
)
from tests.support.catalog_texts import BANK, ENDPOINTS, Complaint, Load


def test_a_name_and_two_endpoints_are_enough(load: Load) -> None:
    bank = load(BANK).get("bank")

    assert bank == Platform(
        app="providers",
        slug="bank",
        name="Bank",
        authorization_endpoint="https://bank.test/authorize",
        token_endpoint="https://bank.test/token",
    )


def test_the_defaults_are_those_of_the_contract(load: Load) -> None:
    bank = load(BANK)["bank"]

    assert (bank.status, bank.issuer, bank.scopes, bank.scope_separator) == ("active", "", (), " ")
    assert bank.token_endpoint_auth_method == "client_secret_basic"
    assert bank.code_challenge_method == "S256"
    assert not bank.authorization_response_iss_parameter_supported
    assert (bank.refresh, bank.grant_lifetime_days) == ("rotating", 0)
    assert (bank.account_id_field, bank.account_name_field) == ("sub", "name")
    assert bank.dead_grant == (DeadGrantMatcher(None, "invalid_grant", None, "expired"),)
    assert bank.revocation is None


def test_a_revocation_has_the_defaults_of_rfc_7009(load: Load) -> None:
    text = BANK + '[providers.bank.revocation]\nendpoint = "https://bank.test/revoke"'

    assert load(text)["bank"].revocation == Revocation(
        kind="rfc7009",
        endpoint="https://bank.test/revoke",
        tokens=("refresh_token", "access_token"),
        client_auth=True,
        success_status=(200,),
        blast_radius="token",
    )


def test_a_field_table_adds_to_its_defaults(load: Load) -> None:
    bank = load(BANK + 'account_fields = { id = "number", currency = "" }')["bank"]

    assert bank.account_fields == {
        "id": "number",
        "name": "name",
        "type": "type",
        "balance": "balance",
        "currency": "",
        "path_id": "",
    }


def test_planned_platforms_need_no_endpoints(load: Load) -> None:
    catalog = load(
        '[providers.a]\nname = "A"\nstatus = "planned"\n'
        '[channels.b]\nname = "B"\nstatus = "unsupported"'
    )

    assert [platform.slug for platform in catalog.of_app("channels")] == ["b"]
    assert [platform.slug for platform in catalog.all()] == ["a", "b"]


def test_an_unknown_slug_is_none(load: Load) -> None:
    assert load(BANK).get("elsewhere") is None


@pytest.mark.parametrize(
    "address",
    [
        "https://bank.test",
        "https://bank.test:8443/a?b=c",
        "http://localhost:8001/token",
        "http://127.0.0.1/token",
        "http://127.1.2.3/token",
        "http://[::1]:8001/token",
    ],
)
def test_endpoints_are_https_or_on_loopback(load: Load, address: str) -> None:
    assert load(BANK + f'identity_endpoint = "{address}"')["bank"].identity_endpoint == address


@pytest.mark.parametrize(
    "address",
    [
        "http://bank.test/token",
        "http://localhost.bank.test/",
        "http://127.0.0.1.bank.test/",
        "http://10.0.0.1/",
        "https://",
        "https:///token",
        "https://user:password@bank.test/",
        "https://bank.test@evil.test/",
        "https://bank.test/#fragment",
        "https://bank.test/{user}",
        "https://bank.test:port/",
        "https://bank.test:99999/",
        "https://bank.test:0/",
        "https://bank test/",
        "https://bank.test\\\\@evil.test/",
        "https://[::1/",
        "ftp://bank.test/",
        "//bank.test/",
        "bank.test",
        "javascript:alert(1)",
    ],
)
def test_other_addresses_are_refused(complaint: Complaint, address: str) -> None:
    result = complaint(BANK + f'identity_endpoint = "{address}"')

    assert "[providers.bank] identity_endpoint: must be an https address" in result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (f"[providers.bank]\n{ENDPOINTS}", "[providers.bank] name: is missing"),
        ('[providers.bank]\nname = "Bank"', "[providers.bank] authorization_endpoint: is missing"),
        (BANK + "[providers.bank.revocation]", "[providers.bank.revocation] endpoint: is missing"),
        (
            BANK + "authorization_response_iss_parameter_supported = true",
            "[providers.bank] issuer: is missing",
        ),
        (
            BANK + 'client_id_parameter = "key"\nextra_authorization_params = { key = "x" }',
            "[providers.bank] extra_authorization_params: may not say the client id",
        ),
        (BANK.replace("bank]", "Bank]"), "[providers.Bank]: a slug has"),
        (BANK.replace("bank]", "my-bank]"), "[providers.my-bank]: a slug has"),
        (BANK.replace("bank]", f"{'x' * 65}]"), "a slug has"),
        (BANK + BANK.replace("providers", "channels"), "[channels.bank]: the slug is taken by"),
        (BANK.replace("providers", "banks"), "[banks]: is no app"),
        ("providers = 5", "[providers]: must be a table"),
        ("[providers]\nbank = 5", "[providers] bank: must be a table"),
        ("[providers.bank", "catalog.toml: is not TOML"),
        ("", None),
    ],
)
def test_gaps_and_contradictions_are_reported(
    load: Load, complaint: Complaint, text: str, result: str | None
) -> None:
    if result is None:
        assert load(text).all() == []
    else:
        assert result in complaint(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"missing\.toml: can't be read"):
        load_catalog(tmp_path / "missing.toml")
    with pytest.raises(CatalogError, match="can't be read"):
        load_catalog(tmp_path)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_bytes(b'[providers.bank]\nname = "\xe9"')

    with pytest.raises(CatalogError, match="is not UTF-8"):
        load_catalog(path)


def test_each_key_has_a_rule() -> None:
    platform = {field.name for field in fields(Platform)} - {"app", "slug", "revocation"}

    assert set(catalog_rules.PLATFORM) == platform
    assert set(catalog_rules.REVOCATION) == {field.name for field in fields(Revocation)}


def test_entries_can_be_kept_in_sets(load: Load) -> None:
    assert len({load(BANK)["bank"], load(BANK)["bank"]}) == 1
