"""Kombu's transport over Redis, which goes on after what is no message.

A Redis may hold anything. Kombu parses it before Celery is asked, and an error there ends the
worker. What is no message is said and passed over; it is never quoted, for it may be anybody's.
"""

import logging
from typing import Any

from kombu.exceptions import InconsistencyError, OperationalError
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import Empty
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# These are the broker's, which Celery waits for, or say that it has nothing.
_OF_THE_BROKER = (RedisError, OSError, OperationalError, InconsistencyError, Empty)


class QoS(kombu_redis.QoS):
    """Brings back what a lost worker had taken, unless that is no message."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        try:
            super().restore_by_tag(tag, client, leftmost)
        except _OF_THE_BROKER:
            raise
        except Exception as error:  # noqa: BLE001 - See the module.
            _say_passed_over(error)
            self._remove_from_indices(tag).execute()


class Channel(kombu_redis.Channel):
    """Takes messages from a queue."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except _OF_THE_BROKER:
            raise
        except Exception as error:
            if self.client.connection is None:
                # Nothing was read: it would come about again at once, without end.
                raise
            _say_passed_over(error)
            return True

    def get_table(self, exchange: str) -> list[tuple[str, ...]]:
        return [binding for binding in super().get_table(exchange) if len(binding) == 3]


class Transport(kombu_redis.Transport):
    """Hands messages on."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)
        except _OF_THE_BROKER:
            raise
        except Exception as error:  # noqa: BLE001 - See the module.
            _say_passed_over(error)
            for channel in self.channels:
                _acknowledge(channel, message)


def _acknowledge(channel: Any, message: Any) -> None:
    """Acknowledge what was taken, so that it neither comes again nor keeps a place."""
    for tag, taken in list(channel.qos._delivered.items()):
        if taken._raw is message:
            channel.basic_ack(tag)


def _say_passed_over(error: Exception) -> None:
    logger.warning("The broker held what is no message (%s); passed over.", type(error).__name__)
