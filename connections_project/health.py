"""`/healthz` and `/readyz`: does the process live, and can it reach what it stands on?"""

import logging
import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 2.0


class Look(threading.Thread):
    """One look at something that the service stands on, which is not waited for long.

    Args:
        ask: Raises whatever it likes where the thing is away.
    """

    def __init__(self, ask: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.ask = ask
        self.seconds: float | None = None

    def run(self) -> None:
        began = time.monotonic()
        try:
            self.ask()
            self.seconds = time.monotonic() - began
        except Exception as error:  # noqa: BLE001 - each has its own word for being away.
            logger.warning("Not ready: %s (%s)", self.name, type(error).__name__)
        finally:
            connection.close()

    def result(self, *, until: float) -> dict[str, object]:
        """Say whether an answer came in time, and in how many milliseconds."""
        self.join(max(until - time.monotonic(), 0))
        seconds = self.seconds
        taken = None if seconds is None else round(seconds * 1000, 1)
        return {"ok": seconds is not None, "milliseconds": taken}


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    cache.get("readyz")


def _ask_broker() -> None:
    url, seconds = settings.CELERY_BROKER_URL, LONGEST_SECONDS
    with redis.Redis.from_url(
        url, socket_connect_timeout=seconds, socket_timeout=seconds
    ) as broker:
        broker.ping()


@require_safe
@never_cache
def healthz(_: HttpRequest) -> JsonResponse:
    """Answer, which is all that a living process has to do."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_: HttpRequest) -> JsonResponse:
    """Name what is away by a 503, so that no requests are sent here until it is back."""
    looks = {"database": Look(_ask_database), "cache": Look(_ask_cache)}
    if settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
        looks["broker"] = Look(_ask_broker)
    for name, look in looks.items():
        look.name = name
        look.start()
    until = time.monotonic() + LONGEST_SECONDS
    checks = {name: look.result(until=until) for name, look in looks.items()}
    is_ready = all(check["ok"] for check in checks.values())
    status = "ok" if is_ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)
