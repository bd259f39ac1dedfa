"""Counting sign-in attempts while Redis comes and goes."""

import pickle
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from redis import Redis as RedisClient

from connections_project.identity import failover_cache
from connections_project.identity.failover_cache import FailoverCache
from connections_project.identity.login_attempts import TooManyAttemptsError, begin_attempt
from tests.support.platform_server import free_port


class Redis:
    """A Redis server that a test starts and stops."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            ["redis-server", *options, "--dir", str(self.folder)], stdout=subprocess.DEVNULL
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise TimeoutError("redis-server did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def redis(tmp_path: Path, settings: LazySettings) -> Iterator[Redis]:
    """The server that attempts are counted in; it runs already."""
    server = Redis(tmp_path)
    server.start()
    settings.CACHES = settings.CACHES | {
        "counted": {
            "BACKEND": "connections_project.identity.failover_cache.FailoverCache",
            "LOCATION": server.url,
        }
    }
    settings.RATELIMIT_USE_CACHE = "counted"
    yield server
    server.stop()


def fail(times: int) -> int:
    """Fail as often as that, and say how many attempts were let through."""
    passed = 0
    for _ in range(times):
        try:
            begin_attempt(email="owner@example.com", address="192.0.2.1")
            passed += 1
        except TooManyAttemptsError:
            continue
    return passed


@pytest.fixture(autouse=True)
def _fixed_window(monkeypatch: pytest.MonkeyPatch) -> None:
    end = int(time.time()) + 60
    monkeypatch.setattr("django_ratelimit.core._get_window", lambda *_: end)


def test_redis_counts_while_it_is_there(redis: Redis) -> None:
    assert fail(8) == 5
    with socket.create_connection(("127.0.0.1", redis.port)) as wire:
        wire.sendall(b"DBSIZE\r\n")
        assert wire.recv(16) == b":4\r\n"


def test_the_process_counts_while_redis_is_away(redis: Redis) -> None:
    redis.stop()
    assert fail(8) == 5


def test_losing_redis_midway_refuses_nobody_wrongly(redis: Redis) -> None:
    assert fail(1) == 1
    redis.stop()
    assert fail(8) == 5


def test_redis_counts_again_once_it_is_back(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover_cache, "PAUSE_SECONDS", 0.0)
    redis.stop()
    assert fail(8) == 5
    redis.start()
    assert fail(8) == 5


def test_an_outage_within_a_count_refuses_nobody(redis: Redis) -> None:
    cache = FailoverCache(redis.url, {})
    assert cache.add("counter", 1, 60)
    redis.stop()
    assert cache.incr("counter") == 1
    assert cache.incr("counter") == 2


def test_a_redis_that_hangs_costs_its_timeout_once(settings: LazySettings) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        cache = FailoverCache(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", {})
        began = time.monotonic()
        for number in range(20):
            cache.add(f"counter {number}".replace(" ", "-"), 1, 60)
        assert time.monotonic() - began < 3


def test_the_outage_is_logged_without_an_address(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    redis.stop()
    fail(1)
    assert "Redis is away" in caplog.text
    assert str(redis.port) not in caplog.text


def test_what_redis_holds_is_never_unpickled(redis: Redis) -> None:
    cache = FailoverCache(redis.url, {})
    cache.set("counter", 7)
    key = cache.make_and_validate_key("counter")
    with RedisClient.from_url(redis.url) as client:
        assert client.get(key) == b"7"
        client.set(key, pickle.dumps([1]))
    with pytest.raises(ValueError, match="decode"):
        cache.get("counter")
