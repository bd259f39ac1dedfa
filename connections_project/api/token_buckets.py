"""Where the token buckets' levels are kept: GCRA (ITU-T I.371, annex A), in memory or in Redis.

A level is one number, the time at which the bucket is full again. Times are microseconds since
the epoch, since whole numbers of them pass through Lua's doubles unharmed.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_SECONDS_TO_ANSWER = 0.25
_MOST_BUCKETS = 50_000


class BucketState(NamedTuple):
    """Whether a token was taken, how many are left, when all are back, how long until one is."""

    allowed: bool
    remaining: int
    full_at: int
    wait: int


class Buckets(Protocol):
    def take(self, key: str, *, interval: int, burst: int) -> BucketState:
        """Consume one token of the bucket, which gains one each `interval` microseconds."""


def now_in_microseconds() -> int:
    """Return the system clock's time, in microseconds since the epoch."""
    return time.time_ns() // 1000


class MemoryBuckets:
    """Buckets of this process, for the embedded default that runs one."""

    def __init__(
        self, clock: Callable[[], int] = now_in_microseconds, most: int = _MOST_BUCKETS
    ) -> None:
        self._clock = clock
        self._most = most
        self._full_at: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, key: str, *, interval: int, burst: int) -> BucketState:
        with self._lock:
            now, capacity = self._clock(), interval * burst
            # A level further off than an empty bucket's means that the clock was set back. It is
            # kept so even where no token is had, or the wait would never begin to shrink.
            full_at = min(max(self._full_at.get(key, now), now), now + capacity)
            wait = max(0, full_at + interval - capacity - now)
            full_at += 0 if wait else interval
            self._keep(key, full_at, now)
            return BucketState(not wait, (now + capacity - full_at) // interval, full_at, wait)

    def _keep(self, key: str, full_at: int, now: int) -> None:
        self._full_at[key] = full_at
        if len(self._full_at) > self._most:
            # A full bucket needs no entry; of the others, those nearest to full lose least.
            used = {k: level for k, level in self._full_at.items() if level > now}
            emptiest_first = sorted(used, key=used.__getitem__, reverse=True)
            self._full_at = {k: used[k] for k in emptiest_first[: self._most // 2]}


# The server's own clock, so that all hosts agree. %.0f, since Lua would write 1.7e15 in short form.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])
local capacity = interval * tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
full_at = math.min(math.max(full_at, now), now + capacity)
local wait = math.max(0, full_at + interval - capacity - now)
local allowed = 0
if wait == 0 then
  allowed = 1
  full_at = full_at + interval
end
local milliseconds = math.ceil((full_at - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', milliseconds)
return {allowed, math.floor((now + capacity - full_at) / interval), full_at, wait}
"""


class RedisBuckets:
    """Buckets shared by all processes and hosts; each take is one atomic script."""

    def __init__(self, url: str) -> None:
        # No retries: a request must not wait for limits that it can be served without.
        client = redis.Redis.from_url(
            url,
            socket_timeout=_SECONDS_TO_ANSWER,
            socket_connect_timeout=_SECONDS_TO_ANSWER,
            retry=Retry(NoBackoff(), 0),
        )
        self._take = client.register_script(_TAKE)

    def take(self, key: str, *, interval: int, burst: int) -> BucketState:
        answer = cast("list[int]", self._take(keys=[key], args=[interval, burst]))
        allowed, remaining, full_at, wait = answer
        return BucketState(allowed=allowed == 1, remaining=remaining, full_at=full_at, wait=wait)
