"""The service knows the sandbox by one catalogue table, and by nothing else."""

from pathlib import Path

import requests
from django.conf import settings

from connections_project.oauth.catalog import load_catalog
from connections_project.sandbox.catalogue import CATALOG_FILE, DEFAULT_URL, catalogue_toml
from tests.support.sandbox_server import SandboxHandle


def test_the_table_agrees_with_the_metadata(sandbox: SandboxHandle) -> None:
    platform = load_catalog(sandbox.catalogue_path).get("sandbox")
    assert platform is not None
    url = f"{sandbox.url}/.well-known/oauth-authorization-server"
    metadata = requests.get(url, timeout=10).json()
    for word in (
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "authorization_response_iss_parameter_supported",
    ):
        assert getattr(platform, word) == metadata[word]
    assert platform.token_endpoint_auth_method in metadata["token_endpoint_auth_methods_supported"]
    assert platform.code_challenge_method in metadata["code_challenge_methods_supported"]
    asked = {scope for one in load_catalog(sandbox.catalogue_path).all() for scope in one.scopes}
    assert asked | {"openid"} == set(metadata["scopes_supported"])
    assert platform.revocation is not None
    assert platform.revocation.endpoint == metadata["revocation_endpoint"]


def test_it_overlays_the_shipped_catalogue() -> None:
    shipped = Path(settings.BASE_DIR) / "providers" / "catalog.toml"
    platform = load_catalog(shipped, CATALOG_FILE).get("sandbox")
    assert platform is not None
    assert (platform.app, platform.status) == ("providers", "active")


def test_another_address_replaces_the_usual_one() -> None:
    text = catalogue_toml("http://127.0.0.1:43117")
    assert DEFAULT_URL not in text
    assert text.count("http://127.0.0.1:43117") == CATALOG_FILE.read_text().count(DEFAULT_URL) == 20


def test_the_service_has_none_of_the_sandboxs_tables() -> None:
    assert not [app for app in settings.INSTALLED_APPS if "sandbox" in app or "oauth2" in app]
