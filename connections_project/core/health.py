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
from redis.backoff import NoBackoff
from redis.retry import Retry

from connections_project.core.drain import draining
from connections_project.core.storable import require_room

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 2.0
# A look that takes longer is lost, perhaps with the host it asked: another one is begun.
LOST_SECONDS = 30.0
# What is written to Redis: a replica, or one that is out of memory, would refuse.
_KEY = "connections:readyz"
_KEY_SECONDS = 60


class Probe(threading.Thread):
    """One look at something that the service stands on, which is not waited for long.

    Args:
        ask: Raises whatever it likes where the thing is away.
    """

    def __init__(self, name: str, ask: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self.ask = ask
        self.began = time.monotonic()
        self.seconds: float | None = None

    def run(self) -> None:
        try:
            self.ask()
            self.seconds = time.monotonic() - self.began
        except Exception as error:  # noqa: BLE001 - each has its own word for being away.
            logger.warning("Not ready: %s (%s)", self.name, type(error).__name__)
        finally:
            connection.close()

    def result(self) -> dict[str, object]:
        """Whether an answer came in time, and in how many milliseconds."""
        self.join(max(self.began + LONGEST_SECONDS - time.monotonic(), 0))
        seconds = self.seconds
        if seconds is None or seconds > LONGEST_SECONDS:
            return {"ok": False, "milliseconds": None}
        return {"ok": True, "milliseconds": round(seconds * 1000, 1)}


_probes: dict[str, Probe] = {}
_probes_lock = threading.Lock()


def _shared_probe(name: str, ask: Callable[[], object]) -> Probe:
    """Share the look that is under way: at what hangs there is one, however many probes ask."""
    with _probes_lock:
        look = _probes.get(name)
        is_lost = look is not None and time.monotonic() - look.began > LOST_SECONDS
        if look is None or is_lost or not look.is_alive():
            look = _probes[name] = Probe(name, ask)
            look.start()
        return look


def _ask_database() -> None:
    """Write a row, as it is, that each database has, as a standby would refuse, and find room."""
    require_room()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_migrations SET applied = applied"
            " WHERE id = (SELECT max(id) FROM django_migrations)"
        )


def _ask_cache() -> None:
    cache.set(_KEY, 1, _KEY_SECONDS)


def _ask_broker() -> None:
    with redis.Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_connect_timeout=LONGEST_SECONDS,
        socket_timeout=LONGEST_SECONDS,
        # By itself the driver would try for several times as long.
        retry=Retry(NoBackoff(), 0),
    ) as broker:
        broker.set(_KEY, 1, ex=_KEY_SECONDS)


@require_safe
@never_cache
def healthz(_: HttpRequest) -> JsonResponse:
    """Answer, which is all that a living process has to do."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_: HttpRequest) -> JsonResponse:
    """Name what is away by a 503, so that no requests are sent here until it is back.

    A process that is to end is not ready either, as long as it still answers.
    """
    if draining.is_set():
        return JsonResponse({"status": "draining", "checks": {}}, status=503)
    asks: dict[str, Callable[[], object]] = {"database": _ask_database, "cache": _ask_cache}
    if settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
        asks["broker"] = _ask_broker
    looks = [_shared_probe(name, ask) for name, ask in asks.items()]
    checks = {look.name: look.result() for look in looks}
    is_ready = all(check["ok"] for check in checks.values())
    status = "ok" if is_ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)
