"""Each wrong value of the catalogue is reported in one line that names its table and key."""

import pytest

from tests.support.catalog_texts import BANK, Complaint

WRONG_VALUES = [
    ("name", "''"),
    ("name", "5"),
    ("name", '"two\\nlines"'),
    ("status", '"retired"'),
    ("status", "true"),
    ("authorization_endpoint", '""'),
    ("token_endpoint", '""'),
    ("token_endpoint", "[]"),
    ("issuer", '"bank"'),
    ("authorization_response_iss_parameter_supported", '"false"'),
    ("authorization_response_iss_parameter_supported", "1"),
    ("token_endpoint_auth_method", '"private_key_jwt"'),
    ("client_id_parameter", '""'),
    ("code_challenge_method", '"plain"'),
    ("scopes", '"read"'),
    ("scopes", "[1]"),
    ("scopes", '[""]'),
    ("scope_separator", "1"),
    ("extra_authorization_params", "[]"),
    ("extra_authorization_params", "{ audience = 1 }"),
    ("extra_authorization_params", '{ state = "fixed" }'),
    ("extra_authorization_params", '{ redirect_uri = "https://evil.test" }'),
    ("refresh", '"never"'),
    ("refresh", "false"),
    ("grant_lifetime_days", "-1"),
    ("grant_lifetime_days", "1.5"),
    ("grant_lifetime_days", "true"),
    ("grant_lifetime_days", '"7"'),
    ("grant_lifetime_days", "99999999"),
    ("account_id_field", "1"),
    ("account_picture_field", "1"),
    ("accounts_endpoint", '"/accounts"'),
    ("accounts_field", "[]"),
    ("account_fields", '"id"'),
    ("account_fields", '{ number = "id" }'),
    ("account_fields", "{ id = 1 }"),
    ("transactions_endpoint", '"https://bank.test/{account_id}/{page}"'),
    ("transactions_endpoint", '"http://bank.test/{account_id}"'),
    ("transaction_fields", '{ when = "date" }'),
    ("granted_account_fields", '{ page = "id" }'),
    ("paging", '"pages"'),
    ("page_size", "-1"),
    ("page_size", "true"),
    ("minor_units", '"yes"'),
    ("user_agent", '""'),
    ("extra_headers", '{ Authorization = "x" }'),
    ("extra_headers", '{ "X Y" = "x" }'),
    ("extra_headers", '{ X = "ü" }'),
    ("transaction_excluded", '{ status = "failed" }'),
    ("transaction_excluded", "{ status = [] }"),
    ("introspection_endpoint", '"http://bank.test/introspect"'),
    ("checked_on", '"2026-11-28"'),
    ("checked_on", "2026-11-28T00:00:00Z"),
    ("ends_on", '{ version = "2027" }'),
    ("dead_grant", "{ status = 400 }"),
    ("dead_grant", '["invalid_grant"]'),
    ("dead_grant", "[{}]"),
    ("dead_grant", '[{ becomes = "expired" }]'),
    ("dead_grant", '[{ status = 400, becomes = "failed" }]'),
    ("dead_grant", '[{ status = "400" }]'),
    ("dead_grant", "[{ status = 429 }]"),
    ("dead_grant", "[{ status = 503 }]"),
    ("dead_grant", "[{ status = true }]"),
    ("dead_grant", '[{ error = "" }]'),
    ("dead_grant", '[{ at = "api" }]'),
    ("dead_grant", '[{ status = 400, at = "both" }]'),
    ("dead_grant", "[{ json = {} }]"),
    ("dead_grant", "[{ json = { fatal = true } }]"),
    ("dead_grant", '[{ json = { "" = 1 } }]'),
    ("dead_grant", '[{ text = "" }]'),
    ("dead_grant", '[{ status = 400, code = "x" }]'),
    ("token_identifier_algs", '"prefix"'),
    ("token_identifier_algs", '["suffix"]'),
    ("help_url", '"mailto:help@bank.test"'),
    ("adapter", '"no/such"'),
    ("adapter", '"providers.adapters.missing"'),
    ("adapter", '"missing_package.module"'),
    ("adapter", "1"),
    ("revocation", '"https://bank.test/revoke"'),
    ("revocations", "{}"),
    ("token_endpont", '"https://bank.test/token"'),
    ('"odd\\nkey"', "1"),
]


@pytest.mark.parametrize(("key", "value"), WRONG_VALUES)
def test_a_wrong_value_is_named_by_table_and_key(
    complaint: Complaint, key: str, value: str
) -> None:
    lines = {"name": '"Bank"', "authorization_endpoint": '"https://bank.test/a"'}
    lines["token_endpoint"] = '"https://bank.test/t"'
    lines[key] = value

    result = complaint("[providers.bank]\n" + "\n".join(f"{k} = {v}" for k, v in lines.items()))

    shown = "odd key" if "odd" in key else key
    assert f"catalog.toml: [providers.bank] {shown}: " in result
    assert "\n" not in result


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", '"soap"'),
        ("endpoint", '"http://bank.test/revoke"'),
        ("endpoint", '""'),
        ("tokens", "[]"),
        ("tokens", '["id_token"]'),
        ("tokens", '["access_token", "access_token"]'),
        ("tokens", '"access_token"'),
        ("client_auth", '"yes"'),
        ("success_status", "[]"),
        ("success_status", "[20]"),
        ("success_status", "[200.0]"),
        ("success_status", "200"),
        ("blast_radius", '"everything"'),
        ("verify", "true"),
        ("verify", '"refresh"'),
        ("introspection_endpoint", '"http://bank.test/introspect"'),
        ("dead_token", '[{ at = "api" }]'),
        ("dead_token", "[{ status = 503 }]"),
        ("token", '["access_token"]'),
    ],
)
def test_a_wrong_revocation_value_is_named_too(complaint: Complaint, key: str, value: str) -> None:
    lines = {"endpoint": '"https://bank.test/revoke"'} | {key: value}
    table = "\n".join(f"{k} = {v}" for k, v in lines.items())

    result = complaint(f"{BANK}[providers.bank.revocation]\n{table}")

    assert f"[providers.bank.revocation] {key}: " in result


def test_where_to_introspect_must_be_known(complaint: Complaint) -> None:
    table = 'endpoint = "https://bank.test/revoke"\nverify = "introspection"'
    result = complaint(f"{BANK}[providers.bank.revocation]\n{table}")
    assert "[providers.bank.revocation] introspection_endpoint: is missing" in result


def test_verifying_by_identity_needs_its_endpoint(complaint: Complaint) -> None:
    table = 'endpoint = "https://bank.test/revoke"\nverify = "identity"'
    result = complaint(f"{BANK}[providers.bank.revocation]\n{table}")
    assert "[providers.bank.revocation] verify: asks the identity_endpoint" in result
