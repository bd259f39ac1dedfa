"""What waits for a callback: kept under the state's hash, sealed, and given out once."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class StateStoreUnavailable(Exception):
    """The cache that holds states can't be reached."""


class Cache(Protocol):
    """The part of a cache that is needed; Django's caches have it."""

    def set(self, key: str, value: Any, timeout: int | None = ...) -> Any: ...

    def get(self, key: str) -> Any: ...

    def delete(self, key: str) -> Any:
        """Remove a key and return whether it was there: of two callers, only one gets True."""


def new_state() -> str:
    """Return a new state of 256 random bits (RFC 6749, section 10.10)."""
    return secrets.token_urlsafe(32)


def subject_of(state: str, prefix: str = "state") -> str:
    """Name a state without telling it; the ciphertext is bound to this name."""
    # What came with a callback may hold lone surrogates, which UTF-8 has no bytes for.
    return f"{prefix}:{hashlib.sha256(state.encode('utf-8', 'surrogatepass')).hexdigest()}"


class StateStore:
    """States of authorization requests under way.

    Args:
        cache: Shared by all processes that may receive a callback.
        seal: Encrypts a JSON object, bound to a subject, into text.
        open_text: The reverse of `seal`.
        unreadable: What `open_text` raises for a text that isn't its own.
        prefix: What is kept under another one is never taken for a state under way.
        now: The time in seconds of the epoch, by a clock of all these processes.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        seal: Callable[[Mapping[str, Any], str], str],
        open_text: Callable[[str, str], dict[str, Any]],
        unreadable: type[Exception],
        prefix: str = "state",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._seal = seal
        self._open_text = open_text
        self._unreadable = unreadable
        self._prefix = prefix
        self._now = now

    def put(self, state: str, payload: Mapping[str, Any], *, seconds: int) -> None:
        """Keep a payload (plain JSON) for so many seconds.

        Raises:
            StateStoreUnavailable: The cache is away.
        """
        # The cache may evict late, or be restored from a copy: the end of life goes with the data.
        content = {"ends_at": self._now() + seconds, "payload": json.loads(json.dumps(payload))}
        subject = subject_of(state, self._prefix)
        sealed = self._seal(content, subject)
        self._ask(lambda: self._cache.set(subject, sealed, timeout=seconds))

    def peek(self, state: str) -> dict[str, Any] | None:
        """Return the payload and keep it; None if unknown, used, expired or unreadable.

        Raises:
            StateStoreUnavailable: The cache is away.
        """
        subject = subject_of(state, self._prefix)
        return self._read(self._ask(lambda: self._cache.get(subject)), subject)

    def consume(self, state: str) -> dict[str, Any] | None:
        """Return the payload to one caller only, whatever runs beside; None as for `peek`.

        Raises:
            StateStoreUnavailable: The cache is away.
        """
        subject = subject_of(state, self._prefix)
        sealed = self._ask(lambda: self._cache.get(subject))
        # Getting isn't owning: only the caller whose delete removed the key has taken it.
        if sealed is None or not self._ask(lambda: self._cache.delete(subject)):
            return None
        return self._read(sealed, subject)

    def _read(self, sealed: Any, subject: str) -> dict[str, Any] | None:
        if not isinstance(sealed, str):
            return None
        try:
            content = self._open_text(sealed, subject)
        except self._unreadable:
            # Its key was dropped or somebody wrote into the cache: the flow has to start again.
            return None
        if content["ends_at"] <= self._now():
            return None
        payload: dict[str, Any] = content["payload"]
        return payload

    @staticmethod
    def _ask(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            raise StateStoreUnavailable("the state store can't be reached") from error
