"""Observers of the calls to platforms. This package itself neither counts nor logs them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from connections_project.oauth.errors import PlatformError
from connections_project.oauth.messages import Answer

Kind = Literal["exchange", "refresh", "identify", "read", "revoke", "verify", "publish", "other"]
# Called with platform, kind, the answer or the failure, and the seconds that it took.
Observer = Callable[[str, Kind, Answer | PlatformError, float], None]

_observers: list[Observer] = []
_preparations: list[Callable[[str, Kind], None]] = []
_kind: ContextVar[Kind | None] = ContextVar("kind", default=None)


def observe_calls(observer: Observer) -> None:
    """Register what is called after each call, in the caller's thread; it must not raise."""
    if observer not in _observers:
        _observers.append(observer)


def prepare_calls(prepare: Callable[[str, Kind], None]) -> None:
    """Have something done before each call, in the caller's thread, with platform and kind.

    It keeps a call from being made by a PlatformError, of which no observer is told.
    """
    if prepare not in _preparations:
        _preparations.append(prepare)


@contextmanager
def calling(kind: Kind) -> Iterator[None]:
    """Name the purpose of the calls in a block, adapters' own among them; the outermost counts."""
    token = _kind.set(_kind.get() or kind)
    try:
        yield
    finally:
        _kind.reset(token)


def current_kind() -> Kind:
    """Return the purpose of the calls that are made now."""
    return _kind.get() or "other"


def observed(call: Callable[[], Answer], *, platform: str) -> Answer:
    """Make a call and notify the observers.

    Raises:
        PlatformError: As the call does, or a preparation.
    """
    kind = current_kind()
    for prepare in _preparations:
        prepare(platform, kind)
    began = time.monotonic()
    try:
        result: Answer | PlatformError = call()
    except PlatformError as error:
        result = error
    seconds = time.monotonic() - began
    for observer in _observers:
        observer(platform, kind, result, seconds)
    if isinstance(result, PlatformError):
        raise result
    return result
