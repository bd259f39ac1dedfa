"""ADMIN_OIDC_*: operators' single sign-on, whole or not at all."""

import pytest

from tests.conf.conftest import load, refusal

WHOLE = {
    "ADMIN_OIDC_ISSUER": "https://id.example.com",
    "ADMIN_OIDC_CLIENT_ID": "connections",
    "ADMIN_OIDC_CLIENT_SECRET": "s3cret",
    "ADMIN_OIDC_AUDITORS_GROUP": "audit",
}


def test_it_is_off_by_itself() -> None:
    assert load()["ADMIN_OIDC"] is None


def test_a_whole_one_is_taken() -> None:
    made = load(**WHOLE)["ADMIN_OIDC"]
    assert (made.issuer, made.groups_claim, made.required_amr) == (
        "https://id.example.com", "groups", "",
    )  # fmt: skip
    assert "s3cret" not in repr(made)


@pytest.mark.parametrize("missing", WHOLE)
def test_a_part_of_it_stops_the_start(missing: str) -> None:
    words = refusal(**{name: value for name, value in WHOLE.items() if name != missing})
    named = "ADMIN_OIDC_OPERATORS_GROUP" if missing.endswith("GROUP") else missing
    assert words.startswith(f"Configuration: {named}")


@pytest.mark.parametrize(
    "issuer", ["id.example.com", "http://id.example.com", "https://id.example.com/?x", "ftp://x"]
)
def test_a_wrong_issuer_stops_the_start(issuer: str) -> None:
    words = refusal(**{**WHOLE, "ADMIN_OIDC_ISSUER": issuer})
    assert words.startswith("Configuration: ADMIN_OIDC_ISSUER is wrong: ")
