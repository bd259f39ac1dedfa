"""What is kept for a while: in Redis, shared by all processes, or in this process alone."""

from typing import Any

LOGIN_ATTEMPTS = "login_attempts"


def caches(redis_url: str) -> dict[str, Any]:
    """Describe the caches.

    Args:
        redis_url: Where Redis is; empty for none.
    """
    if redis_url:
        return {"default": _redis(redis_url), LOGIN_ATTEMPTS: _redis_or_process(redis_url)}
    return {"default": _process("default"), LOGIN_ATTEMPTS: _process(LOGIN_ATTEMPTS)}


def _redis(url: str) -> dict[str, Any]:
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
        },
    }


def _redis_or_process(url: str) -> dict[str, Any]:
    """Failed sign-ins go on being counted, in the process, where Redis is away."""
    return {"BACKEND": "connections_project.identity.failover_cache.FailoverCache", "LOCATION": url}


def _process(name: str) -> dict[str, Any]:
    # It is large enough never to drop an OAuth state that is still good.
    return {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": name,
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
