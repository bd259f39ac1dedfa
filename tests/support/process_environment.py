"""The service as it is under test, for another process: the same database, keys and platforms."""

import os
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from connections_project.platforms.catalog import client_registration

ROOT = Path(__file__).resolve().parents[2]


def environment_with(*slugs: str, catalogue: Path) -> dict[str, str]:
    """Return the variables for a process that shares the tests' database.

    Args:
        slugs: Platforms with a client of ours.
        catalogue: The file that is laid over the shipped catalogue.
    """
    shared = os.environ | {
        "DJANGO_SETTINGS_MODULE": "connections_project.settings",
        "DATABASE_URL": _database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "CREDENTIAL_KEYS": ",".join(settings.CREDENTIAL_KEYS),
        "OAUTH_CATALOG": str(catalogue),
        "AUDIT_HEADS_FILE": str(settings.AUDIT_HEADS_FILE),
    }
    for slug in slugs:
        registration = client_registration(slug)
        prefix = f"OAUTH_{slug.upper()}"
        shared[f"{prefix}_CLIENT_ID"] = registration.client_id
        shared[f"{prefix}_CLIENT_SECRET"] = registration.client_secret
        shared[f"{prefix}_REDIRECT_URIS"] = ",".join(registration.redirect_uris)
    return shared


def _database_url() -> str:
    to = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(to['NAME']))}"
    access = f"{quote(to['USER'])}:{quote(to['PASSWORD'])}@{to['HOST']}:{to['PORT'] or 5432}"
    return f"postgres://{access}/{to['NAME']}"
