"""Both stores of token buckets keep the same promises."""

import secrets
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from connections_project.api.token_buckets import Buckets, BucketState, MemoryBuckets, RedisBuckets
from tests.support.redis_server import url_or_skip

SECOND = 1_000_000
INTERVAL = 12 * SECOND  # five a minute
BURST = 10


class Store(ABC):
    """A store whose time a test moves."""

    buckets: Buckets

    def __init__(self) -> None:
        self.prefix = f"test:buckets:{secrets.token_hex(8)}:"

    def take(self, key: str = "k", burst: int = BURST) -> BucketState:
        return self.buckets.take(self.prefix + key, interval=INTERVAL, burst=burst)

    def use_up(self, key: str = "k") -> None:
        assert [self.take(key).allowed for _ in range(BURST + 1)] == [True] * BURST + [False]

    @abstractmethod
    def now(self) -> float: ...

    @abstractmethod
    def pass_seconds(self, seconds: float) -> None: ...


class MemoryStore(Store):
    def __init__(self) -> None:
        super().__init__()
        self.time = 1_700_000_000 * SECOND
        self.buckets = MemoryBuckets(clock=lambda: self.time)

    def now(self) -> float:
        return self.time

    def pass_seconds(self, seconds: float) -> None:
        self.time += int(seconds * SECOND)


class RedisStore(Store):
    """Its clock is the server's, so that time passes by setting the levels back."""

    def __init__(self) -> None:
        super().__init__()
        url = url_or_skip()
        self.client = redis.Redis.from_url(url, decode_responses=True)
        self.buckets = RedisBuckets(url)

    def now(self) -> float:
        return time.time() * SECOND

    def pass_seconds(self, seconds: float) -> None:
        for key in self.client.scan_iter(f"{self.prefix}*"):
            level = int(str(self.client.get(key)))
            self.client.set(key, level - int(seconds * SECOND), keepttl=True)

    def clear(self) -> None:
        for key in self.client.scan_iter(f"{self.prefix}*"):
            self.client.delete(key)
        self.client.close()


@pytest.fixture
def redis_store() -> Iterator[RedisStore]:
    store = RedisStore()
    yield store
    store.clear()


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    found: RedisStore = request.getfixturevalue("redis_store")
    return found


def test_exactly_the_burst_passes_at_once(store: Store) -> None:
    store.use_up()


def test_what_is_left_counts_down(store: Store) -> None:
    assert [store.take().remaining for _ in range(BURST + 2)] == [*range(9, -1, -1), 0, 0]


def test_one_token_comes_back_each_interval(store: Store) -> None:
    store.use_up()
    store.pass_seconds(11)
    assert not store.take().allowed
    store.pass_seconds(1)
    assert [store.take().allowed, store.take().allowed] == [True, False]


def test_parts_of_a_token_are_not_lost(store: Store) -> None:
    store.use_up()
    passed = 0
    for _ in range(15):
        store.pass_seconds(11)
        passed += store.take().allowed
    assert passed == 15 * 11 // 12


def test_a_refused_try_costs_nothing(store: Store) -> None:
    store.use_up()
    waits = [store.take().wait for _ in range(50)]
    assert max(waits) <= 12 * SECOND
    store.pass_seconds(12)
    assert store.take().allowed


def test_the_wait_is_the_time_until_one_token(store: Store) -> None:
    store.use_up()
    assert store.take().wait == pytest.approx(12 * SECOND, abs=SECOND)
    store.pass_seconds(5)
    assert store.take().wait == pytest.approx(7 * SECOND, abs=SECOND)


def test_an_allowed_try_waits_for_nothing(store: Store) -> None:
    assert store.take().wait == 0


def test_it_says_when_the_bucket_is_full_again(store: Store) -> None:
    for spent in range(1, 4):
        full_at = store.take().full_at
        assert full_at == pytest.approx(store.now() + spent * INTERVAL, abs=SECOND)
    store.use_up("other")
    assert store.take("other").full_at == pytest.approx(store.now() + BURST * INTERVAL, abs=SECOND)


def test_a_bucket_never_holds_more_than_the_burst(store: Store) -> None:
    store.use_up()
    store.pass_seconds(24 * 3600)
    store.use_up()


def test_each_key_has_its_own_bucket(store: Store) -> None:
    store.use_up("one")
    store.use_up("another")


@pytest.fixture
def _eager_switching() -> Iterator[None]:
    """Let threads interrupt each other as often as Python can, so that a missing lock shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("_eager_switching")
def test_many_threads_let_exactly_the_burst_through(store: Store) -> None:
    start = threading.Barrier(16)

    def try_often(_: int) -> int:
        start.wait(timeout=10)
        return sum(store.take(burst=1000).allowed for _ in range(100))

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(try_often, range(16))) == 1000


def test_a_clock_set_back_delays_one_bucket_at_most(store: Store) -> None:
    store.use_up()
    store.pass_seconds(-24 * 3600)
    assert store.take().wait <= INTERVAL
    store.pass_seconds(BURST * 12)
    assert store.take().allowed


def test_memory_forgets_full_buckets_first() -> None:
    store = MemoryStore()
    store.buckets = MemoryBuckets(clock=lambda: store.time, most=100)
    for number in range(90):
        store.take(f"idle {number}")
    store.pass_seconds(13)
    store.use_up("busy")
    for number in range(50):
        store.take(f"new {number}")
    assert not store.take("busy").allowed
    assert len(store.buckets._full_at) <= 100


def test_memory_stays_bounded_and_keeps_the_emptiest() -> None:
    store = MemoryStore()
    store.buckets = MemoryBuckets(clock=lambda: store.time, most=100)
    store.use_up("busy")
    for number in range(1000):
        store.take(f"passer-by {number}")
        assert len(store.buckets._full_at) <= 100
    assert not store.take("busy").allowed


def test_redis_drops_a_bucket_once_it_is_full(redis_store: RedisStore) -> None:
    redis_store.take()
    left = redis_store.client.pttl(f"{redis_store.prefix}k")
    assert 11_000 < int(str(left)) <= 12_001


def test_two_hosts_share_one_bucket(redis_store: RedisStore) -> None:
    mine = redis_store.buckets
    redis_store.use_up()
    redis_store.buckets = RedisBuckets(url_or_skip())
    assert redis_store.buckets is not mine
    assert not redis_store.take().allowed
