"""The cache that counts sign-in attempts, in Redis or, while Redis is away, in this process."""

import json
import logging
import time
from typing import Any, ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# How long Redis is left alone once it has failed, so that a Redis that hangs costs one sign-in its
# timeout and not every one.
PAUSE_SECONDS = 5.0
# No counter lives longer: the longest window of attempts.py and the margin of django-ratelimit.
LONGEST_WINDOW_SECONDS = 3605
# A process holds that many counters before it drops some, whoever invents the e-mail addresses.
MAX_COUNTERS = 100_000


class CounterSerializer:
    """Keeps numbers as JSON. Django's own would unpickle, and so run, whatever Redis holds."""

    def dumps(self, value: Any) -> Any:
        return json.dumps(value)

    def loads(self, value: bytes) -> Any:
        return json.loads(value)


class FailoverCache(RedisCache):
    """Counts with `add`, `get` and `incr`, which never fail for want of Redis.

    Args:
        server: Address of the Redis.
        params: As for Django's RedisCache; its OPTIONS go to redis-py's connection pool.
    """

    _away_until: ClassVar[dict[str, float]] = {}

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
            "serializer": CounterSerializer(),
        }
        super().__init__(server, params | {"OPTIONS": options | params.get("OPTIONS", {})})
        self._server = server
        self._twin = LocMemCache(server, {"OPTIONS": {"MAX_ENTRIES": MAX_COUNTERS}})

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return bool(self._call("add", key, value, timeout, version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._call("get", key, default, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        try:
            return int(self._call("incr", key, delta, version))
        except ValueError:
            # Redis went or came between the counter's making and this: it starts anew on this side.
            self.add(key, 0, LONGEST_WINDOW_SECONDS, version)
            return int(self._call("incr", key, delta, version))

    def _call(self, verb: str, *args: Any) -> Any:
        if time.monotonic() >= self._away_until.get(self._server, 0.0):
            try:
                return getattr(super(), verb)(*args)
            except (RedisError, OSError) as error:
                self._pause(error)
        return getattr(self._twin, verb)(*args)

    def _pause(self, error: Exception) -> None:
        self._away_until[self._server] = time.monotonic() + PAUSE_SECONDS
        logger.warning(
            "Redis is away (%s): this process counts sign-in attempts by itself.",
            type(error).__name__,
        )
