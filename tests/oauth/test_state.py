"""States: sealed, looked at, taken once."""

import hashlib
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from connections_project.oauth.state import StateStore, StateStoreUnavailable, new_state


class Unreadable(Exception):
    """A text that this test didn't seal."""


class ProcessCache:
    """A cache without a clock, to see that the state's own end of life is looked at."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._lock = threading.Lock()

    def set(self, key: str, value: Any, timeout: int | None = None) -> None:
        self.values[key] = value

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def delete(self, key: str) -> bool:
        with self._lock:
            return self.values.pop(key, None) is not None


class AbsentCache(ProcessCache):
    """A cache that is away."""

    def set(self, key: str, value: Any, timeout: int | None = None) -> None:
        raise ConnectionError

    def get(self, key: str) -> Any:
        raise ConnectionError

    def delete(self, key: str) -> bool:
        raise ConnectionError


def seal(data: Mapping[str, Any], subject: str) -> str:
    return json.dumps({"subject": subject, "data": data})[::-1]


def open_text(text: str, subject: str) -> dict[str, Any]:
    try:
        content = json.loads(text[::-1])
    except ValueError:
        raise Unreadable from None
    if content["subject"] != subject:
        raise Unreadable
    return dict(content["data"])


def store_on(cache: Any) -> StateStore:
    return StateStore(cache, seal=seal, open_text=open_text, unreadable=Unreadable)


@pytest.fixture
def cache() -> ProcessCache:
    return ProcessCache()


@pytest.fixture
def store(cache: ProcessCache) -> StateStore:
    return store_on(cache)


def test_each_state_is_new_and_has_256_bits() -> None:
    states = {new_state() for _ in range(100)}

    assert len(states) == 100
    assert all(len(state) == 43 for state in states)


def test_looking_consumes_nothing(store: StateStore) -> None:
    store.put("s", {"principal": "p"}, seconds=60)

    assert store.peek("s") == store.peek("s") == {"principal": "p"}


def test_a_taken_state_is_gone(store: StateStore) -> None:
    store.put("s", {"principal": "p"}, seconds=60)

    assert store.consume("s") == {"principal": "p"}
    assert store.consume("s") is None
    assert store.peek("s") is None


def test_of_many_takers_one_gets_it(store: StateStore) -> None:
    for round_number in range(20):
        state = f"s-{round_number}"
        store.put(state, {"n": round_number}, seconds=60)
        barrier = threading.Barrier(8)

        def consume(_: int, state: str = state, barrier: threading.Barrier = barrier) -> Any:
            barrier.wait()
            return store.consume(state)

        with ThreadPoolExecutor(8) as pool:
            taken = [each for each in pool.map(consume, range(8)) if each is not None]
        assert taken == [{"n": round_number}]


def test_two_parallel_readers_do_not_both_get_it(cache: ProcessCache) -> None:
    store = store_on(cache)
    store.put("s", {}, seconds=60)

    class Late(ProcessCache):
        """Reads what the first taker has taken meanwhile."""

        def get(self, key: str) -> Any:
            value = cache.get(key)
            assert store.consume("s") == {}
            return value

        def delete(self, key: str) -> bool:
            return cache.delete(key)

    assert store_on(Late()).consume("s") is None


@pytest.mark.parametrize("state", ["", "unknown", "\ud800", "x" * 100_000, "s\x00"])
def test_an_unknown_state_is_none(store: StateStore, state: str) -> None:
    assert store.peek(state) is None
    assert store.consume(state) is None


def test_an_expired_state_is_none_if_still_cached(store: StateStore) -> None:
    store.put("s", {}, seconds=60)

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert store.peek("s") is None
        assert store.consume("s") is None


def test_the_cache_sees_neither_state_nor_payload(store: StateStore, cache: ProcessCache) -> None:
    store.put("the-state", {"verifier": "the-verifier"}, seconds=60)

    assert list(cache.values) == [f"state:{hashlib.sha256(b'the-state').hexdigest()}"]
    assert all(isinstance(value, str) for value in cache.values.values())
    assert "the-state" not in str(cache.values)
    assert "the-verifier" not in str(cache.values)


@pytest.mark.parametrize("planted", ["garbage", b"bytes", {"data": {}}, 5])
def test_foreign_cache_contents_are_no_state(
    store: StateStore, cache: ProcessCache, planted: Any
) -> None:
    store.put("s", {}, seconds=60)
    key = next(iter(cache.values))
    cache.values[key] = planted

    assert store.peek("s") is None
    assert store.consume("s") is None


def test_a_state_under_another_key_is_none(store: StateStore, cache: ProcessCache) -> None:
    store.put("mine", {"principal": "me"}, seconds=60)
    store.put("yours", {"principal": "you"}, seconds=60)
    mine, yours = cache.values
    cache.values[yours] = cache.values[mine]

    assert store.consume("yours") is None


def test_an_absent_cache_is_reported() -> None:
    store = store_on(AbsentCache())

    with pytest.raises(StateStoreUnavailable):
        store.put("s", {}, seconds=60)
    with pytest.raises(StateStoreUnavailable):
        store.peek("s")
    with pytest.raises(StateStoreUnavailable):
        store.consume("s")
