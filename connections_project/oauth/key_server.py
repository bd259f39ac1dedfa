"""Public keys of somebody else's issuer (RFC 7517), had over a network that may fail in any way.

Each issuer's keys are fetched by a thread of its own, one at a time, for five seconds at most. What
a web process's threads wait for it is bounded: whoever knows a key uses it; whoever knows none
waits for a second, as long as few others do, and only one waits for an issuer that has just failed.
"""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt

from connections_project.oauth.catalog_values import endpoint
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.transport import Request, send
from connections_project.oauth.waiters import Waiters

SECONDS_A_FETCH = 5.0
SECONDS_TO_WAIT = 1.0
# After its beginning, even where too many wait already: a fetch that goes well takes no longer.
SECONDS_WITHOUT_A_PLACE = 0.25
# After an unknown key id the set is fetched anew no more often than this.
SECONDS_BETWEEN_UNKNOWN_KEYS = 60.0
SECONDS_AFTER_A_FAILURE = 5
LONGEST_SECONDS_AFTER_A_FAILURE = 60
MOST_KEYS = 100
# RFC 7518, section 3.3; beyond the largest a verification takes seconds, which is what a hostile
# issuer would publish it for.
SMALLEST_RSA_KEY, LARGEST_RSA_KEY = 2048, 16384
LONGEST_MEMBER, LONGEST_EXPONENT = LARGEST_RSA_KEY // 6 + 2, 8  # characters of base64


class UnknownKeyError(Exception):
    """The issuer publishes no such key."""


class KeysUnavailableError(Exception):
    """The keys can't be had at the moment; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("the issuer's keys can't be had")
        self.retry_after = retry_after


@dataclass
class _Fetch:
    """A fetch that is under way; `began_at` is on the monotonic clock, in seconds."""

    began_at: float
    over: threading.Event = field(default_factory=threading.Event)


@dataclass
class KeyServer:
    """The keys of one issuer, in this process.

    Args:
        issuer: Its `iss`, which its metadata must repeat.
        jwks_uri: Where the keys stand; empty: where the issuer's metadata says.
        fresh_seconds: How long keys are used without asking anew.
        keep_seconds: How long they are used while they can't be had anew.
        waiters: Who may wait for a fetch; shared with the keys of other issuers.
    """

    issuer: str
    jwks_uri: str = ""
    fresh_seconds: float = 300.0
    keep_seconds: float = 86400.0
    waiters: Waiters = field(default_factory=lambda: Waiters(most=8, most_for_one=8))
    _keys: tuple[Mapping[str, Any], ...] = ()
    _fetched_at: float = -math.inf
    _unknown_at: float = -math.inf
    _retry_at: float = -math.inf
    _is_away: bool = False
    _fetch: _Fetch | None = None
    _parsed: dict[tuple[str | None, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, kid: str | None, algorithm: str) -> Any:
        """Return the public key that a token's header names, as PyJWT takes it.

        Args:
            kid: The key's id; None finds the only key that there is for the algorithm.
            algorithm: The `alg`, one that is allowed.

        Raises:
            UnknownKeyError: It is not published, or is no key for that.
            KeysUnavailableError: It is not known, and the issuer does not answer.
        """
        now = time.monotonic()
        key = self._known(kid, algorithm, now)
        if key is not None and now - self._fetched_at < self.fresh_seconds:
            return key
        self._refresh(now, is_known=key is not None)
        key = self._known(kid, algorithm, now)
        if key is not None:
            return key
        wait = self._unavailable_for()
        if wait:
            raise KeysUnavailableError(wait)
        raise UnknownKeyError

    def _known(self, kid: str | None, algorithm: str, now: float) -> Any:
        keys = self._keys
        if now - self._fetched_at >= self.keep_seconds + self.fresh_seconds:
            return None
        found = self._parsed.get((kid, algorithm))
        if found is None:
            found = _parsed(keys, kid, algorithm)
            if found is not None and keys is self._keys:
                self._parsed[kid, algorithm] = found
        return found

    def _refresh(self, now: float, *, is_known: bool) -> None:
        with self._lock:
            fetch, is_ours = self._fetch, False
            if fetch is None and self._may_fetch(now):
                fetch = self._fetch = _Fetch(now)
                is_ours = True
            is_away = self._is_away
        if is_ours:
            self._begin_fetch()
        # Nobody who has a key waits for a fetch to fail again, or for somebody else's.
        if fetch is not None and (not is_known or (is_ours and not is_away)):
            is_first = is_ours and not is_known and not is_away
            self._wait(fetch, SECONDS_A_FETCH if is_first else SECONDS_TO_WAIT, alone=is_away)

    def _begin_fetch(self) -> None:
        try:
            threading.Thread(target=self._fetch_now, daemon=True).start()
        except RuntimeError:  # The system has no thread left.
            self._end_fetch(None, None)

    def _wait(self, fetch: _Fetch, seconds: float, *, alone: bool) -> None:
        with self.waiters.place(self.issuer, alone=alone) as has_place:
            if has_place or not alone:
                longest = seconds if has_place else min(seconds, SECONDS_WITHOUT_A_PLACE)
                fetch.over.wait(max(0.0, fetch.began_at + longest - time.monotonic()))

    def _may_fetch(self, now: float) -> bool:
        """Whether one may be begun; the caller holds the lock."""
        if now < self._retry_at or self._fetched_at > now:
            return False
        if now - self._fetched_at >= self.fresh_seconds:
            return True
        if now - self._unknown_at < SECONDS_BETWEEN_UNKNOWN_KEYS:
            return False
        self._unknown_at = now
        return True

    def _fetch_now(self) -> None:
        keys: tuple[Mapping[str, Any], ...] | None = None
        retry_after: int | None = None
        try:
            keys = _fetched_keys(self.issuer, self.jwks_uri)
        except PlatformError as error:
            retry_after = error.retry_after
        finally:
            self._end_fetch(keys, retry_after)

    def _end_fetch(
        self, keys: tuple[Mapping[str, Any], ...] | None, retry_after: int | None
    ) -> None:
        with self._lock:
            now = time.monotonic()
            if keys is None:
                wait = retry_after or SECONDS_AFTER_A_FAILURE
                self._retry_at = now + min(wait, LONGEST_SECONDS_AFTER_A_FAILURE)
                # A fetch that failed has not answered for the key that it was begun for.
                self._unknown_at = -math.inf
            else:
                self._keys, self._parsed, self._fetched_at = keys, {}, now
                self._retry_at = -math.inf
            self._is_away = keys is None
            fetch, self._fetch = self._fetch, None
        if fetch is not None:
            fetch.over.set()

    def _unavailable_for(self) -> int:
        """Return the seconds until the keys may be asked for again; 0 where they are known."""
        with self._lock:
            if self._fetch is not None:
                return SECONDS_AFTER_A_FAILURE
            return math.ceil(max(0.0, self._retry_at - time.monotonic()))


def _fetched_keys(issuer: str, jwks_uri: str) -> tuple[Mapping[str, Any], ...]:
    until = time.monotonic() + SECONDS_A_FETCH
    address = jwks_uri or _published_address(issuer, until)
    keys = _fetched(address, issuer, until).get("keys")
    if not isinstance(keys, list):
        raise PlatformError("malformed", platform=issuer)
    return tuple(key for key in keys[:MOST_KEYS] if isinstance(key, Mapping))


def _published_address(issuer: str, until: float) -> str:
    """Read where the keys stand from the metadata of OpenID Connect, else of RFC 8414."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    root = f"{parts.scheme}://{parts.netloc}"
    try:
        published = _fetched(f"{root}{path}/.well-known/openid-configuration", issuer, until)
    except PlatformError as error:
        if error.code != "refused":
            raise
        # RFC 8414, section 3.1: the well-known part stands before the issuer's path.
        address = f"{root}/.well-known/oauth-authorization-server{path}"
        published = _fetched(address, issuer, until)
    # RFC 8414, section 3.3: metadata of another issuer would lend us another one's keys.
    if published.get("issuer") != issuer:
        raise PlatformError("malformed", platform=issuer)
    try:
        address = endpoint(published.get("jwks_uri"))
    except ValueError:
        address = ""
    if not address:
        raise PlatformError("malformed", platform=issuer)
    return address


def _fetched(address: str, issuer: str, until: float) -> Mapping[str, Any]:
    answer = send(Request("GET", address), platform=issuer, within=until - time.monotonic())
    if answer.status != 200:
        raise answer.error("refused" if 400 <= answer.status < 500 else "unavailable")
    published = answer.json()
    if not isinstance(published, Mapping):
        raise answer.error("malformed")
    return published


def _parsed(keys: tuple[Mapping[str, Any], ...], kid: str | None, algorithm: str) -> Any:
    """Return the one key that is meant; None where there is none, or more than one."""
    found = [
        key
        for one in keys
        if (kid is None or one.get("kid") == kid) and _is_for(one, algorithm)
        if (key := _public_key(one, algorithm)) is not None
    ]
    return found[0] if len(found) == 1 or (found and kid is not None) else None


def _is_for(key: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key may verify signatures of an algorithm (RFC 7517, sections 4.2 to 4.4)."""
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("kty") == _KEY_TYPES.get(algorithm[:2])
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )


_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


def _public_key(key: Mapping[str, Any], algorithm: str) -> Any:
    """Build a key of its public members alone; None where they are no such key."""
    public = {name: key[name] for name in _PUBLIC_MEMBERS if name in key}
    if any(not isinstance(one, str) or len(one) > LONGEST_MEMBER for one in public.values()):
        return None
    if len(public.get("e", "")) > LONGEST_EXPONENT:
        return None
    try:
        found = jwt.PyJWK(public, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        return None
    is_rsa = public["kty"] == "RSA"
    return None if is_rsa and found.key_size < SMALLEST_RSA_KEY else found


_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e")
