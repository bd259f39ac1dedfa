"""The rate limits: token buckets, one a policy and key, over all apps and processes."""

import logging
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from redis.exceptions import RedisError

from connections_project.api.token_buckets import Buckets, MemoryBuckets, RedisBuckets
from connections_project.core.instruments import RATE_LIMIT_DENIALS, RATE_LIMIT_FAIL_OPENS

logger = logging.getLogger(__name__)

_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Policy:
    """A bucket that holds `burst` tokens and gains `per_minute`."""

    name: str
    burst: int
    per_minute: int


def _policy(name: str) -> Policy:
    burst, per_minute = settings.RATE_LIMITS[name]
    return Policy(name, burst=burst, per_minute=per_minute)


API_READ = _policy("API_READ")
API_WRITE = _policy("API_WRITE")
PROVIDER_CONNECT = _policy("PROVIDER_CONNECT")
PROVIDER_SYNC = _policy("PROVIDER_SYNC")
# In place of PROVIDER_CONNECT for programs, which act for a whole application.
KEY_CONNECT = _policy("KEY_CONNECT")
SOCIAL_READ = _policy("SOCIAL_READ")
SOCIAL_WRITE = _policy("SOCIAL_WRITE")
SCIM = _policy("SCIM")
UNAUTHENTICATED = _policy("UNAUTHENTICATED")


@dataclass(frozen=True)
class Decision:
    """What a bucket said: `reset_at` is the epoch second when it is full again, `retry_after` the
    whole seconds until one token, 0 where one was had."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: int
    retry_after: int


def consume(policy: Policy, key: str) -> Decision | None:
    """Consume one token of the key's bucket.

    Args:
        policy: How much the bucket holds and gains.
        key: Whose bucket it is: a principal's id, an address, a key's id.

    Returns:
        What the bucket said; None where Redis is away, since a service without its limits is
        better than none. That is logged and counted.
    """
    interval = 60 * _MICROSECONDS // policy.per_minute
    bucket = f"rate_limit:{policy.name}:{key}"
    try:
        taken = _buckets().take(bucket, interval=interval, burst=policy.burst)
    except RedisError as error:
        RATE_LIMIT_FAIL_OPENS.labels(policy.name).inc()
        logger.warning("Served without a rate limit: Redis is away (%s)", type(error).__name__)
        return None
    if not taken.allowed:
        RATE_LIMIT_DENIALS.labels(policy.name).inc()
    reset_at, retry_after = -(-taken.full_at // _MICROSECONDS), -(-taken.wait // _MICROSECONDS)
    return Decision(taken.allowed, policy.burst, taken.remaining, reset_at, retry_after)


def _buckets() -> Buckets:
    return redis_buckets(settings.REDIS_URL) if settings.REDIS_URL else process_buckets()


@cache
def process_buckets() -> MemoryBuckets:
    """Return the one set of buckets of this process."""
    return MemoryBuckets()


@cache
def redis_buckets(url: str) -> RedisBuckets:
    """Return the buckets of a Redis, over one connection pool a process."""
    return RedisBuckets(url)
