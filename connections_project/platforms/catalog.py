"""The catalogue of the apps and of the operator, and our own client at each of its platforms."""

from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings

from connections_project.oauth.catalog import Catalog, load_catalog
from connections_project.oauth.client import ClientRegistration


@cache
def catalog() -> Catalog:
    """Return the platforms of all catalogue files; they are read once a process.

    Raises:
        CatalogError: A file can't be read, or a value is wrong. It ends the start.
    """
    shipped = shipped_catalogs()
    return load_catalog(*shipped.values(), *settings.CATALOG_FILES, apps=list(shipped))


def shipped_catalogs() -> dict[str, Path]:
    """Return the `catalog.toml` of each installed app that ships one, by the app's label."""
    files = {one.label: Path(one.path) / "catalog.toml" for one in apps.get_app_configs()}
    return {label: path for label, path in files.items() if path.exists()}


def client_registration(slug: str) -> ClientRegistration:
    """Return the client registered at a platform; its id is empty where there is none."""
    client = settings.OAUTH_CLIENTS.get(slug, {})
    callback_page = f"{settings.PUBLIC_URL}/oauth/callback/{slug}"
    return ClientRegistration(
        client_id=client.get("client_id", ""),
        client_secret=client.get("client_secret", ""),
        redirect_uris=tuple(client.get("redirect_uris") or [callback_page]),
        webhook_key=client.get("webhook_key", ""),
    )
