"""What the service is told of the sandbox, for whichever port it listens at."""

from pathlib import Path

DEFAULT_URL = "http://127.0.0.1:9000"
CATALOG_FILE = Path(__file__).with_name("catalog.toml")
ISSUERS_FILE = Path(__file__).with_name("issuers.toml")


def catalogue_toml(base_url: str) -> str:
    """Return `catalog.toml` with its endpoints at another address.

    Args:
        base_url: The sandbox's issuer, such as http://127.0.0.1:43117, without a trailing slash.
    """
    return CATALOG_FILE.read_text(encoding="utf-8").replace(DEFAULT_URL, base_url)


def issuers_toml(base_url: str) -> str:
    """Return `issuers.toml` with the issuer at another address."""
    return ISSUERS_FILE.read_text(encoding="utf-8").replace(DEFAULT_URL, base_url)
