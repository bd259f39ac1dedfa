"""Which platforms may be used, and by which client."""

from dataclasses import asdict

import pytest
from django.conf import LazySettings

from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import client_registration
from connections_project.platforms.help_link import help_link
from connections_project.platforms.registry import (
    PlatformUnavailableError,
    UnknownPlatformError,
    connectable,
    upstream,
    usable,
)
from tests.conftest import UseCatalogue
from tests.support.bank import REDIRECT_URI, Bank

pytestmark = pytest.mark.django_db
HELP = {"Link": '<https://bank.example.com/apps>; rel="help"'}


@pytest.mark.parametrize(
    ("method", "client_id", "secret", "is_configured"),
    [
        ("client_secret_basic", "id", "secret", True),
        ("client_secret_basic", "id", "", False),
        ("client_secret_post", "", "secret", False),
        ("none", "id", "", True),
        ("none", "", "", False),
    ],
)
def test_only_a_public_client_needs_no_secret(
    bank: Bank,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    method: str,
    client_id: str,
    secret: str,
    is_configured: bool,
) -> None:
    use_catalogue(bank.catalogue(more=f'token_endpoint_auth_method = "{method}"'), "bank")
    settings.OAUTH_CLIENTS["bank"] = asdict(ClientRegistration(client_id, secret, (REDIRECT_URI,)))
    if is_configured:
        assert usable("bank") == connectable("providers", "bank")
        return
    with pytest.raises(PlatformUnavailableError):
        usable("bank")
    with pytest.raises(PlatformUnavailableError):
        connectable("providers", "bank")


def test_a_planned_platform_is_usable_not_connectable(
    bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(more='status = "planned"'), "bank")
    with pytest.raises(UnknownPlatformError):
        connectable("providers", "bank")
    assert usable("bank").platform.slug == "bank"


def test_a_platform_belongs_to_one_app(bank: Bank) -> None:
    with pytest.raises(UnknownPlatformError):
        connectable("channels", "bank")


def test_a_removed_platform_is_not_found(bank: Bank, use_catalogue: UseCatalogue) -> None:
    use_catalogue("")
    assert upstream("bank") is None
    assert help_link("bank") == {}
    with pytest.raises(PlatformUnavailableError):
        usable("bank")


def test_the_authority_is_the_token_endpoints(bank: Bank) -> None:
    assert usable("bank").authority == bank.server.url.removeprefix("http://")


def test_the_help_link_is_for_want_of_revocation(bank: Bank, use_catalogue: UseCatalogue) -> None:
    assert help_link("bank") == {}
    use_catalogue(bank.catalogue(revocation='blast_radius = "client"'), "bank")
    assert help_link("bank") == HELP
    use_catalogue(bank.catalogue().partition("[providers.bank.revocation]")[0], "bank")
    assert help_link("bank") == HELP


def test_without_a_known_page_there_is_no_help_link(
    bank: Bank, use_catalogue: UseCatalogue
) -> None:
    text = bank.catalogue().partition("[providers.bank.revocation]")[0]
    use_catalogue(text.replace("help_url", "# help_url"), "bank")
    assert help_link("bank") == {}


def test_no_repr_shows_a_client_secret(bank: Bank) -> None:
    assert "client secret" not in repr(usable("bank"))


def test_the_redirect_uri_is_the_callback_page(settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://connections.example.com"
    settings.OAUTH_CLIENTS = {"schwab": {"client_id": "id", "redirect_uris": []}}
    page = "https://connections.example.com/oauth/callback/"
    assert client_registration("schwab").redirect_uris == (f"{page}schwab",)
    assert client_registration("monzo") == ClientRegistration("", "", (f"{page}monzo",))
