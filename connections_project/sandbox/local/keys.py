"""`python -m connections_project.sandbox.local.keys FILE`: a `.env` for development."""

import base64
import os
import secrets
import sys
from pathlib import Path

from connections_project.sandbox.catalogue import DEFAULT_URL

CATALOG_FILE = "connections_project/sandbox/catalog.toml"
ISSUERS_FILE = "connections_project/sandbox/issuers.toml"
DEV_FOLDER = Path(".dev")
CLIENT_ID = "connections-development"
PREFACE = """\
# For development, made by `make .env`, which never writes over it. docs/settings.md lists all.
# The paths start in the project's folder, where `manage.py` is.
"""


def fresh_keys() -> dict[str, str]:
    """Return every key that the service needs, and its credentials at the sandbox."""
    client_secret = secrets.token_urlsafe(32)
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        # A Fernet key is the base64 of 32 random bytes, in the alphabet of addresses.
        "CREDENTIAL_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AUDIT_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "RECEIPT_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        # One client for all that the sandbox offers.
        "OAUTH_SANDBOX_CLIENT_ID": CLIENT_ID,
        "OAUTH_SANDBOX_CLIENT_SECRET": client_secret,
        "OAUTH_SANDBOX_SOCIAL_CLIENT_ID": CLIENT_ID,
        "OAUTH_SANDBOX_SOCIAL_CLIENT_SECRET": client_secret,
        "OAUTH_SANDBOX_PAGES_CLIENT_ID": CLIENT_ID,
        "OAUTH_SANDBOX_PAGES_CLIENT_SECRET": client_secret,
    }


def development_settings() -> dict[str, str]:
    keys = fresh_keys()
    return {
        "DEBUG": "true",
        "DATABASE_URL": f"sqlite:///{DEV_FOLDER}/db.sqlite3",
        "AUDIT_HEADS_FILE": str(DEV_FOLDER / "audit-heads.jsonl"),
        "OAUTH_CATALOG": CATALOG_FILE,
        "IDENTITY_ISSUERS": ISSUERS_FILE,
        "ADMIN_OIDC_ISSUER": DEFAULT_URL,
        "ADMIN_OIDC_CLIENT_ID": CLIENT_ID,
        "ADMIN_OIDC_CLIENT_SECRET": keys["OAUTH_SANDBOX_CLIENT_SECRET"],
        "ADMIN_OIDC_OPERATORS_GROUP": "operators",
    } | keys


def write(path: Path) -> None:
    """Write the development settings, for their owner alone to read.

    Raises:
        FileExistsError: The file is there: what its keys have sealed must stay readable.
    """
    lines = [f"{name}={value}\n" for name, value in development_settings().items()]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(PREFACE + "".join(lines))


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]))
    except FileExistsError:
        sys.exit(f"{sys.argv[1]} is there already, and stays as it is.")
