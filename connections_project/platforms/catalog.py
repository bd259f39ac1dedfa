"""The catalogue that the settings name, and our own client at each of its platforms."""

from functools import cache

from django.conf import settings

from connections_project.oauth.catalog import Catalog, load_catalog
from connections_project.oauth.client import ClientRegistration


@cache
def catalog() -> Catalog:
    """Return the platforms of all catalogue files; they are read once a process.

    Raises:
        CatalogError: A file can't be read, or a value is wrong. It ends the start.
    """
    return load_catalog(*settings.CATALOG_FILES)


def client_registration(slug: str) -> ClientRegistration:
    """Return the client registered at a platform; its id is empty where there is none."""
    client = settings.OAUTH_CLIENTS.get(slug, {})
    callback_page = f"{settings.PUBLIC_URL}/oauth/callback/{slug}"
    return ClientRegistration(
        client_id=client.get("client_id", ""),
        client_secret=client.get("client_secret", ""),
        redirect_uris=tuple(client.get("redirect_uris") or [callback_page]),
    )
