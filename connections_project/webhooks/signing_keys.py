"""Whose signatures a sender of security events uses, as it publishes them itself.

Whoever needs keys that are known waits for nobody: they are fetched by one thread at a time, and
outside of every lock. A fetch that failed is not repeated for a while, and keys that are known
serve meanwhile.
"""

import math
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import jwt

from connections_project.oauth.catalog_values import endpoint
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.transport import Request, send
from connections_project.webhooks.errors import KeysUnavailableError, RefusedNoticeError

# What reading an odd document raises.
ODD = (LookupError, TypeError, AttributeError, ValueError)
SECONDS_A_CALL = 5.0
# Keys are asked for anew after so long; after an unknown one not more often than the other.
LONGEST_SECONDS = 3600.0
SHORTEST_SECONDS = 60.0
# How long keys serve that can't be had anew, and how long a server is left alone that failed.
KEPT_SECONDS = 24 * 3600.0
QUIET_SECONDS = 5.0


@dataclass(frozen=True)
class Configuration:
    """The issuer and its keys by `kid`; `read_at` is on the monotonic clock in seconds."""

    address: str
    issuer: str
    keys: dict[str, jwt.PyJWK]
    read_at: float

    def is_younger_than(self, seconds: float) -> bool:
        return time.monotonic() - self.read_at <= seconds


@dataclass
class _Source:
    """What is known of one address.

    Args:
        quiet_until: Until when no fetch is tried again, on the monotonic clock.
        fetching: Held by the one thread that fetches.
    """

    known: Configuration | None = None
    quiet_until: float = 0.0
    fetching: threading.Lock = field(default_factory=threading.Lock)


_sources: defaultdict[str, _Source] = defaultdict(_Source)


def configuration_of(address: str, *, younger_than: float = LONGEST_SECONDS) -> Configuration:
    """Return what is published at an address, from memory where it is young enough.

    Raises:
        KeysUnavailableError: Nothing is known, and it can't be had at the moment.
    """
    source = _sources[address]
    if source.known is None or not source.known.is_younger_than(younger_than):
        _fetch_anew(source, address)
    if source.known is None or not source.known.is_younger_than(KEPT_SECONDS):
        raise KeysUnavailableError(math.ceil(max(source.quiet_until - time.monotonic(), 0)))
    return source.known


def _fetch_anew(source: _Source, address: str) -> None:
    """Fetch what is published, unless another thread does so, or it has failed just now."""
    if time.monotonic() < source.quiet_until or not source.fetching.acquire(blocking=False):
        return
    try:
        source.known = _read(address)
    except KeysUnavailableError as error:
        source.quiet_until = time.monotonic() + max(QUIET_SECONDS, error.retry_after)
    finally:
        source.fetching.release()


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
        if not configuration.is_younger_than(SHORTEST_SECONDS):
            # It may well be a new one: the sender shall come again.
            raise KeysUnavailableError from None
        raise RefusedNoticeError("invalid_key", "The key is not published.") from None


def _read(address: str) -> Configuration:
    try:
        published = _fetched(address)
        # Whoever is on the way to a plain http address could put keys of their own there.
        keys = _fetched(endpoint(published["jwks_uri"]))["keys"]
        by_kid = {str(one["kid"]): jwt.PyJWK(one) for one in keys if one.get("kty") == "RSA"}
        return Configuration(address, str(published["issuer"]), by_kid, time.monotonic())
    except PlatformError as error:
        raise KeysUnavailableError(error.retry_after or 0) from error
    except (jwt.PyJWTError, *ODD) as error:
        raise KeysUnavailableError from error


def _fetched(address: str) -> Any:
    answer = send(Request("GET", address), platform="google_risc", within=SECONDS_A_CALL)
    if answer.status != 200:
        raise answer.error("malformed")
    return answer.json()
