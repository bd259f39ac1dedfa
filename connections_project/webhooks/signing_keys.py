"""Whose signatures a sender of security events uses, as it publishes them itself."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import jwt

from connections_project.oauth.catalog_values import endpoint
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.transport import Request, send
from connections_project.webhooks.errors import KeysUnavailableError, RefusedNoticeError

# What reading an odd document raises.
ODD = (LookupError, TypeError, AttributeError, ValueError)
SECONDS_A_CALL = 5.0
# Keys are asked for anew after so long; after an unknown one not more often than this.
LONGEST_SECONDS = 3600.0
SHORTEST_SECONDS = 60.0


@dataclass(frozen=True)
class Configuration:
    """The issuer and its keys by `kid`; `read_at` is on the monotonic clock in seconds."""

    address: str
    issuer: str
    keys: dict[str, jwt.PyJWK]
    read_at: float


_known: dict[str, Configuration] = {}
_lock = threading.Lock()


def configuration_of(address: str, *, younger_than: float = LONGEST_SECONDS) -> Configuration:
    """Return what is published at an address, from memory where it is young enough.

    Raises:
        KeysUnavailableError: It can't be had.
    """
    with _lock:
        known = _known.get(address)
        if known is None or time.monotonic() - known.read_at > younger_than:
            known = _known[address] = _read(address)
    return known


def key_of(configuration: Configuration, kid: str) -> jwt.PyJWK:
    """Return the key of an id, which may have been published only just now.

    Raises:
        RefusedNoticeError: There is none.
        KeysUnavailableError: The keys can't be had.
    """
    if kid not in configuration.keys:
        configuration = configuration_of(configuration.address, younger_than=SHORTEST_SECONDS)
    try:
        return configuration.keys[kid]
    except KeyError:
        raise RefusedNoticeError("invalid_key", "The key is not published.") from None


def _read(address: str) -> Configuration:
    try:
        published = _fetched(address)
        # Whoever is on the way to a plain http address could put keys of their own there.
        keys = _fetched(endpoint(published["jwks_uri"]))["keys"]
        by_kid = {str(one["kid"]): jwt.PyJWK(one) for one in keys if one.get("kty") == "RSA"}
        return Configuration(address, str(published["issuer"]), by_kid, time.monotonic())
    except (PlatformError, jwt.PyJWTError, *ODD) as error:
        raise KeysUnavailableError from error


def _fetched(address: str) -> Any:
    answer = send(Request("GET", address), platform="google_risc", within=SECONDS_A_CALL)
    if answer.status != 200:
        raise answer.error("malformed")
    return answer.json()
