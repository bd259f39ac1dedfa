"""What an authorization server publishes of itself (RFC 8414; OpenID Connect Discovery 1.0).

It comes from somebody else: whatever is no address or no list of texts is as if it weren't there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connections_project.oauth.catalog_values import endpoint
from connections_project.oauth.json_text import load_json

WELL_KNOWN = "/.well-known/"
RFC8414, OPENID = "oauth-authorization-server", "openid-configuration"


class MetadataError(Exception):
    """A document can't be used; the text says why, in one line."""


class NoDocumentError(MetadataError):
    """What stands there is none: some servers show their sign-in page at any address."""


@dataclass(frozen=True)
class Metadata:
    """A document, and the address at which it stands."""

    url: str
    values: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        return self.endpoint("issuer")

    def endpoint(self, name: str) -> str:
        """Return an address that a secret may be sent to; empty where there is none."""
        try:
            return endpoint(self.values.get(name, ""))
        except ValueError:
            return ""

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts; None where there is none, which differs from an empty one."""
        found = self.values.get(name)
        if not isinstance(found, list):
            return None
        return tuple(one for one in found if isinstance(one, str) and one.isprintable())

    def flag(self, name: str) -> bool:
        return self.values.get(name) is True

    @property
    def authentication_methods(self) -> tuple[str, ...]:
        """Return how clients may authenticate; the default is that of RFC 8414, section 2."""
        named = self.texts("token_endpoint_auth_methods_supported")
        return ("client_secret_basic",) if named is None else named


def documents(url: str) -> tuple[str, ...]:
    """Return the addresses at which an issuer's document may stand, the likeliest first.

    Args:
        url: An issuer, or the address of its document.

    Raises:
        MetadataError: It is no https address.
    """
    try:
        if not endpoint(url):
            raise ValueError("is missing")
    except ValueError as error:
        raise MetadataError(f"{url}: {error}") from None
    if WELL_KNOWN in url:
        return (url,)
    parts = urlsplit(url)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    # RFC 8414, section 3.1, and OpenID Connect Discovery, section 4, place it differently.
    found = (
        f"{origin}{WELL_KNOWN}{RFC8414}{path}",
        f"{origin}{path}{WELL_KNOWN}{OPENID}",
        f"{origin}{WELL_KNOWN}{OPENID}{path}",
    )
    return tuple(dict.fromkeys(found))


def issuer_of(url: str) -> str:
    """Return the issuer to which the address of a document, or of itself, belongs."""
    before, _, after = url.partition(WELL_KNOWN)
    _, _, path = after.partition("/")
    return f"{before}/{path}" if path else before


def parse_metadata(body: bytes, *, url: str) -> Metadata:
    """Read a document.

    Raises:
        MetadataError: It is no JSON object, or speaks of another issuer, which may be an attempt to
            be taken for this one (RFC 8414, section 3.3).
    """
    try:
        values = load_json(body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise NoDocumentError(f"{url}: is no JSON object")
    metadata = Metadata(url, values)
    if not metadata.issuer:
        raise MetadataError(f"{url}: names no issuer")
    if metadata.issuer.rstrip("/") != issuer_of(url).rstrip("/"):
        raise MetadataError(f"{url}: is of another issuer, {metadata.issuer}")
    return metadata
