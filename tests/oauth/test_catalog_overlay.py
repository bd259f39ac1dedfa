"""An operator's catalogue, laid over the shipped one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connections_project.oauth.catalog import Catalog, CatalogError, load_catalog

BELOW = """
[providers.bank]
name = "Bank"
authorization_endpoint = "https://bank.test/authorize"
token_endpoint = "https://bank.test/token"
scopes = ["read", "offline"]
account_fields = { id = "number", name = "title" }
extra_authorization_params = { audience = "a" }
[providers.bank.revocation]
endpoint = "https://bank.test/revoke"
tokens = ["refresh_token"]
[providers.other]
name = "Other"
status = "planned"
"""
Overlay = Callable[[str], Catalog]


@pytest.fixture
def overlay(tmp_path: Path) -> Overlay:
    """Lay a text over the file below."""

    def load(text: str) -> Catalog:
        (tmp_path / "below.toml").write_text(BELOW)
        (tmp_path / "above.toml").write_text(text)
        return load_catalog(tmp_path / "below.toml", tmp_path / "above.toml")

    return load


def test_tables_merge_key_by_key(overlay: Overlay) -> None:
    bank = overlay('[providers.bank]\nname = "My bank"')["bank"]

    assert bank.name == "My bank"
    assert bank.token_endpoint == "https://bank.test/token"


def test_tables_within_merge_too(overlay: Overlay) -> None:
    bank = overlay(
        '[providers.bank]\naccount_fields = { name = "label" }\n'
        'extra_authorization_params = { prompt = "consent" }\n'
        '[providers.bank.revocation]\nblast_radius = "grant"'
    )["bank"]

    assert (bank.account_fields["id"], bank.account_fields["name"]) == ("number", "label")
    assert bank.extra_authorization_params == {"audience": "a", "prompt": "consent"}
    assert bank.revocation is not None
    assert bank.revocation.endpoint == "https://bank.test/revoke"
    assert bank.revocation.tokens == ("refresh_token",)
    assert bank.revocation.blast_radius == "grant"


def test_lists_replace(overlay: Overlay) -> None:
    bank = overlay(
        '[providers.bank]\nscopes = ["all"]\n'
        'dead_grant = [{ status = 401 }]\nrevocation.tokens = ["access_token"]'
    )["bank"]

    assert bank.scopes == ("all",)
    assert [matcher.status for matcher in bank.dead_grant] == [401]
    assert bank.revocation is not None
    assert bank.revocation.tokens == ("access_token",)


def test_a_new_platform_needs_one_table(overlay: Overlay) -> None:
    catalog = overlay(
        '[providers.new]\nname = "New"\nauthorization_endpoint = "http://127.0.0.1:1/a"\n'
        'token_endpoint = "http://127.0.0.1:1/t"'
    )

    assert list(catalog) == ["bank", "other", "new"]


def test_a_planned_platform_can_be_made_active(overlay: Overlay) -> None:
    other = overlay(
        '[providers.other]\nstatus = "active"\nauthorization_endpoint = "https://o.test/a"\n'
        'token_endpoint = "https://o.test/t"'
    )["other"]

    assert (other.status, other.name) == ("active", "Other")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("[providers.bank]\nname = 1", "above.toml: [providers.bank] name: "),
        ("[providers.bank]\nnmae = 'B'", "above.toml: [providers.bank] nmae: "),
        (
            "[providers.bank.revocation]\nkind = 'x'",
            "above.toml: [providers.bank.revocation] kind:",
        ),
        ("[providers.other]\nstatus = 'active'", "[providers.other] authorization_endpoint:"),
        ("[channels.bank]\nname = 'B'", "above.toml: [channels.bank]: the slug is taken"),
        ("providers = 'none'", "above.toml: [providers]: must be a table"),
        ("[providers]\nbank = 'none'", "above.toml: [providers] bank: must be a table"),
    ],
)
def test_a_mistake_names_the_file_that_made_it(overlay: Overlay, text: str, result: str) -> None:
    with pytest.raises(CatalogError) as caught:
        overlay(text)

    assert result in str(caught.value)


def test_the_overlay_is_not_blamed_for_what_it_covers(tmp_path: Path) -> None:
    (tmp_path / "below.toml").write_text(BELOW.replace('"Bank"', "1"))
    (tmp_path / "above.toml").write_text("[providers.bank]\nscopes = []")

    with pytest.raises(CatalogError, match=r"below\.toml: \[providers\.bank\] name"):
        load_catalog(tmp_path / "below.toml", tmp_path / "above.toml")
