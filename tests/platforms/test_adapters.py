"""Adapters are found by themselves, and do what the catalogue leaves to them."""

import importlib
import pkgutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

import channels.adapters
import social.adapters
from connections_project.oauth.catalog import Platform, Revocation, load_catalog
from connections_project.oauth.client import ClientRegistration, Identity, TokenSet
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.transport import Request, send
from connections_project.platforms import client
from connections_project.platforms.adapter import Adapter, adapter_at, adapter_of
from connections_project.platforms.catalog import catalog
from connections_project.platforms.checks import adapters_do_what_is_left_to_them
from connections_project.platforms.registry import Upstream
from providers.reader import reader_of
from providers.statements import read_movements, read_statements
from tests.platforms import an_adapter
from tests.support.platform_server import Answer, PlatformServer

FOLDERS = {"channels": channels.adapters, "social": social.adapters}
FILES = [
    (app, one.name)
    for app, folder in FOLDERS.items()
    for one in pkgutil.iter_modules(folder.__path__)
    if not one.ispkg
]
ADAPTER = "tests.platforms.an_adapter"
TOKENS = TokenSet("at-1", "rt-1")
# The adapter of the first is social/adapters/threads.py; there is none for the second.
PAGES = "".join(
    f"""
[social.{slug}]
name = "Pages"
authorization_endpoint = "https://pages.test/authorize"
token_endpoint = "https://pages.test/token"
refresh = "self_exchange"
"""
    for slug in ("threads", "elsewhere")
)


def declared(app: str, name: str) -> Adapter:
    found: Adapter = importlib.import_module(f"{app}.adapters.{name}").adapter
    return found


def adapted(**values: Any) -> Upstream:
    entry = {"adapter": ADAPTER, "token_endpoint": "http://127.0.0.1:9/token", **values}
    platform = Platform(app="providers", slug="bank", name="Bank", **entry)
    return Upstream(platform, ClientRegistration("ours", "secret", ()))


@pytest.mark.parametrize(("app", "name"), FILES)
def test_each_file_is_its_platforms_adapter(app: str, name: str) -> None:
    platform = catalog()[name]
    assert platform.app == app
    assert adapter_of(platform) is declared(app, name)
    # Also if its entry says nothing of it.
    assert adapter_of(replace(platform, adapter="")) is declared(app, name)


def test_an_entry_may_name_another_platforms_adapter() -> None:
    elsewhere = replace(catalog()["threads"], slug="elsewhere")
    assert adapter_of(elsewhere) is declared("social", "threads")
    assert adapter_of(replace(elsewhere, adapter="")) == Adapter()


@pytest.mark.parametrize("slug", ["meta", "x", "models"])
def test_no_slug_finds_what_is_no_adapter_of_its_app(slug: str) -> None:
    platform = replace(catalog()["threads"], slug=slug, adapter="")
    assert adapter_of(platform) == Adapter()


def test_a_removed_platform_has_no_adapter() -> None:
    assert adapter_at("gone") == Adapter()


def test_a_module_without_an_adapter_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"support\.platform_server"):
        adapter_of(adapted(adapter="tests.support.platform_server").platform)


def test_the_shipped_adapters_do_what_is_left_to_them() -> None:
    assert adapters_do_what_is_left_to_them() == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"adapter": "", "refresh": "self_exchange"}, "an adapter with `refresh`"),
        ({"adapter": "", "revocation": Revocation(kind="adapter")}, "an adapter with `revoke`"),
        (
            {"adapter": "", "transactions_endpoint": "https://bank.test/transactions"},
            "an adapter with `accounts`",
        ),
        ({"adapter": "tests.support.platform_server"}, "has no `adapter`"),
    ],
)
def test_a_system_check_names_what_an_adapter_lacks(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], problem: str
) -> None:
    platform = adapted(**values).platform
    monkeypatch.setattr(catalog(), "all", lambda: [platform])
    (error,) = adapters_do_what_is_left_to_them()
    assert error.id == "connections.E010"
    assert error.msg.startswith("bank: ")
    assert problem in error.msg


def test_an_adapter_found_by_name_needs_no_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entries = tmp_path / "catalog.toml"
    entries.write_text(PAGES)
    loaded = load_catalog(entries, apps=["social"])
    monkeypatch.setattr(catalog(), "all", loaded.all)

    (error,) = adapters_do_what_is_left_to_them()

    assert error.msg.startswith("elsewhere: ")


def test_without_an_adapter_nothing_is_revoked() -> None:
    revocation = Revocation(kind="adapter")
    with pytest.raises(ImproperlyConfigured, match="bank"):
        client.revoke(
            adapted(adapter="tests.support.gallery_adapter", revocation=revocation), TOKENS
        )


def test_self_exchange_refreshes_by_the_adapter() -> None:
    fresh = client.refresh(adapted(refresh="self_exchange"), TOKENS)
    assert fresh.access_token == "exchanged rt-1"


def test_a_revocation_by_the_adapter() -> None:
    an_adapter.REVOKED.clear()
    client.revoke(adapted(revocation=Revocation(kind="adapter")), TOKENS)
    assert an_adapter.REVOKED == ["at-1"]


def test_an_adapters_call_that_hangs_leaves_time(
    server: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revoke(upstream: Upstream, tokens: TokenSet, within: float) -> None:
        for token in (tokens.access_token, "another"):
            with suppress(PlatformError):
                request = Request("POST", f"{server.url}/{token}")
                send(request, platform=upstream.platform, within=within)

    monkeypatch.setattr(client, "adapter_of", lambda _: Adapter(revoke=revoke))
    monkeypatch.setattr(client, "SECONDS_A_TOKEN", 0.2)
    server.on("POST", "/at-1", Answer(delay=5))
    server.on("POST", "/another", Answer(drip_headers=0.1))
    began = time.monotonic()
    client.revoke(adapted(revocation=Revocation(kind="adapter")), TOKENS, within=0.3)
    # The second call has what is left of all.
    assert 0.29 < time.monotonic() - began < 1
    assert len(server.requests_to("/another")) == 1


def test_the_adapter_identifies_without_endpoint() -> None:
    assert client.identify(adapted(), TOKENS) == Identity("adapted", "at-1")


def test_the_adapter_is_asked_before_an_endpoint(server: PlatformServer) -> None:
    upstream = adapted(identity_endpoint=f"{server.url}/me")
    assert client.identify(upstream, TOKENS).account_id == "adapted"
    assert server.requests == []


def test_the_adapter_reads_accounts_and_transactions(server: PlatformServer) -> None:
    server.on("GET", "/account", Answer(json={"id": "7", "name": "Savings", "balance": 3}))
    server.on(
        "GET",
        "/token",
        lambda request: Answer(
            json=[{"id": request.query["account"], "posted_at": "2026-01-02", "amount": "1.5"}]
        ),
    )
    upstream = adapted(
        accounts_endpoint=f"{server.url}/account", token_endpoint=f"{server.url}/token"
    )
    reader = reader_of(upstream, access_token="at-1")
    (statement,) = read_statements(reader)
    assert statement
    assert (statement.platform_account_id, statement.name) == ("7", "Savings")
    movements = read_movements(reader, statement)
    assert [one.platform_transaction_id for one in movements.found] == ["7"]
    assert movements.is_whole
