"""Beat's scheduler: it asks for nothing more while nobody does what it has asked for."""

import logging
from typing import Any

from celery.beat import ScheduleEntry, Scheduler

logger = logging.getLogger(__name__)

# Each takes a kilobyte of the broker's memory; far fewer have all be done, once somebody works.
MOST_WAITING = 1000


class BoundedScheduler(Scheduler):  # type: ignore[misc]  # Celery has no types.
    """A scheduler that bounds what piles up with the broker while no worker is there."""

    _is_full = False

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Have a task run that is due, unless too many messages wait already."""
        is_full = self._number_waiting(producer) >= MOST_WAITING
        if is_full and not self._is_full:
            logger.warning("%d messages wait, and no worker takes them", MOST_WAITING)
        self._is_full = is_full
        if not is_full:
            super().apply_entry(entry, producer=producer)

    def _number_waiting(self, producer: Any) -> int:
        queue = self.app.amqp.queues[self.app.conf.task_default_queue]
        try:
            return int(queue(producer.channel).queue_declare().message_count)
        except Exception as error:  # noqa: BLE001 - Behind a failed message kombu has no channel.
            # The next one fails too, which is logged and survived, or finds the broker back.
            logger.debug("Beat could not count what waits: %s", type(error).__name__)
            return 0
