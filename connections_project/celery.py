"""Celery: workers that run the periodic tasks, and beat that schedules them.

    celery -A connections_project worker        any number of them, on any number of hosts
    celery -A connections_project beat          one of them

What is to be done is in tables of the database. A message only says "look now", so that one
that is lost or comes twice does no harm, and a broker may forget all of them.
"""

import logging
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery, signals
from celery.schedules import schedule
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connections_project.settings")

from django.conf import settings

from connections_project.core import periodic, probe_server
from connections_project.core.background_log import write_in_background
from connections_project.core.logs import fatal
from connections_project.core.open_files import allow_open_files_of_worker

logger = logging.getLogger(__name__)

# A header of beat's messages: who was asked for early is asked for without it.
FROM_BEAT = "connections_from_beat"


class App(Celery):  # type: ignore[misc]  # Celery has no types.
    """An app whose beat prints no banner between lines of JSON."""

    def Beat(self, **options: Any) -> Any:  # noqa: N802 - Celery's name.
        quiet = options.pop("quiet", False) or settings.LOG_FORMAT == "json"
        return self.subclass_with_self("celery.apps.beat:Beat")(quiet=quiet, **options)


# By the schemes of its addresses, so that `redis+socket` leads there too.
TRANSPORT_ALIASES.update(
    dict.fromkeys(("redis", "rediss"), "connections_project.core.redis_transport:Transport")
)

app = App("connections_project", broker=settings.CELERY_BROKER_URL or None)
app.conf.update(
    task_default_queue="connections",
    task_ignore_result=True,
    # Nothing that a broker holds is ever unpickled.
    accept_content=["json"],
    # The work waits for platforms, not for the processor. Threads share one worker of each queue.
    worker_pool="threads",
    worker_concurrency=8,
    worker_prefetch_multiplier=1,
    worker_redirect_stdouts=False,
    # A broker that is away is waited for, however long.
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # So is one that refuses to be written to: a replica, or one that is out of memory.
    broker_channel_error_retry=True,
    # And one whose host has vanished or stands still is given up: no end comes of such connections,
    # and by default workers and beat wait for one.
    broker_transport_options={
        "socket_timeout": 3.0,
        "socket_connect_timeout": 3.0,
        "health_check_interval": 3,
    },
    # It keeps no file; see _begin_with_all.
    beat_scheduler="connections_project.beat:BoundedScheduler",
)


@app.task(name="connections_project.run_periodic_task", bind=True)
def run_periodic_task(self: Any, name: str) -> None:
    """Run a periodic task; for beat only where it is due.

    Args:
        name: The task's name; one of another release's may be unknown.
    """
    try:
        task = periodic.periodic_task_of(name)
    except KeyError:
        logger.warning("There is no periodic task %s.", name)
    else:
        by_interval = FROM_BEAT in (self.request.headers or {})
        task.do_if_due() if by_interval else task.do()


def steady_now() -> datetime:
    """Return a time for intervals alone, from a clock that nobody sets."""
    return datetime.fromtimestamp(time.monotonic(), UTC)


@signals.import_modules.connect(sender=app)
def _schedule(**_: Any) -> None:
    """Schedule the periodic tasks; by now Django is set up, and the apps have registered them."""
    app.conf.beat_schedule = {
        task.name: {
            "task": run_periodic_task.name,
            "args": [task.name],
            # By the host's clock beat would send nothing for as long as that is set back.
            "schedule": schedule(task.every, nowfun=steady_now, app=app),
            # Not `expires`: each worker would compare its own clock with beat's.
            "options": {"headers": {FROM_BEAT: True}},
        }
        for task in periodic.periodic_tasks()
    }


@signals.beat_init.connect
def _begin_with_all(sender: Any, **_: Any) -> None:
    """Schedule all periodic tasks for beat's start; they are idempotent.

    One that is due every hour would never be done by a beat that is restarted more often.
    """
    for entry in sender.scheduler.schedule.values():
        entry.last_run_at -= timedelta(seconds=entry.schedule.seconds)


@signals.setup_logging.connect
def _leave_logging_alone(**_: Any) -> None:
    """Celery sets up none of its own where somebody listens here: Django's settings have it."""


@signals.celeryd_init.connect
def _print_no_banner(instance: Any, **_: Any) -> None:
    """Keep a worker's banners, which are for people, out of a log of JSON lines."""
    if settings.LOG_FORMAT == "json":
        instance.quiet = True
        # Celery writes past sys.stdout what it says of its end; we log that ourselves.
        sys.__stdout__ = None  # type: ignore[misc]


@signals.worker_init.connect
@signals.beat_init.connect
def _log_in_background(**_: Any) -> None:
    write_in_background()


@signals.worker_init.connect
def _refuse_to_idle(**_: Any) -> None:
    if not settings.CELERY_BROKER_URL:
        message = (
            "Configuration: a worker needs CELERY_BROKER_URL or REDIS_URL; without them "
            "`manage.py run_background --forever` does the work."
        )
        sys.exit(fatal(message, log_format=settings.LOG_FORMAT))


@signals.worker_init.connect
def _refuse_to_run_out_of_files(**_: Any) -> None:
    allow_open_files_of_worker(periodic.most_threads(), log_format=settings.LOG_FORMAT)


@signals.worker_ready.connect
@signals.beat_init.connect
def _answer_probes(**_: Any) -> None:
    probe_server.start()


@signals.worker_shutting_down.connect
def _take_nothing_more(how: str, **_: Any) -> None:
    logger.info("%s shutdown: what is under way is finished", how)
    periodic.stopping.set()
