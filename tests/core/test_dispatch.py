"""Dispatch: after the commit, once a transaction, and never a hindrance."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.db import transaction

from connections_project import celery
from connections_project.conf.values import broker_at, broker_url
from connections_project.core import dispatch as dispatch_module
from connections_project.core import periodic
from connections_project.core.dispatch import enqueue
from connections_project.core.inline import LastAfterCommit
from connections_project.core.periodic import periodic_task
from tests.support.platform_server import free_port
from tests.support.redis_server import redis_at_socket, url_or_skip
from tests.support.relay import Relay

pytestmark = pytest.mark.django_db(transaction=True)

done: list[str] = []


def work() -> None:
    done.append("work")


def other() -> None:
    done.append("other")


@pytest.fixture(autouse=True)
def _own_periodic_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "_periodic_tasks", {})
    periodic_task(work)
    periodic_task(other)
    done.clear()


Broker = Any


@pytest.fixture
def use_broker(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """Have messages sent to the broker at an address."""

    def use(url: str) -> None:
        settings.CELERY_BROKER_URL = url
        monkeypatch.setattr(celery.app.conf, "broker_url", url)
        monkeypatch.setattr(celery.app.conf, "broker_write_url", url)
        dispatch_module._connection.cache_clear()
        monkeypatch.setattr(dispatch_module, "_broker", dispatch_module._Broker())

    yield use
    dispatch_module._connection.cache_clear()


@pytest.fixture
def queue(use_broker: Broker) -> Iterator[redis.Redis]:
    url = url_or_skip()
    use_broker(url)
    with redis.Redis.from_url(url) as client:
        client.delete("connections")
        yield client
        client.delete("connections")


def all_sent() -> None:
    """Wait until nothing is left to be sent."""
    for thread in threading.enumerate():
        if thread.name == "dispatch":
            thread.join(10)


def names(queue: redis.Redis) -> list[str]:
    """Return the tasks that the messages in the queue name."""
    all_sent()
    messages = [json.loads(one) for one in queue.lrange("connections", 0, -1)]
    return [message["headers"]["argsrepr"] for message in messages]


def test_no_broker_runs_it_here_after_the_commit() -> None:
    with transaction.atomic():
        enqueue(work)
        enqueue(other, inline=lambda: done.append("inline"))
        assert done == []
    assert done == ["work", "inline"]


class Failing:
    """Work after a commit that is an object, as most of it is."""

    def __call__(self) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "fault", [lambda: 1 // 0, Failing(), partial(divmod, 1, 0), LastAfterCommit(Failing())]
)
def test_no_broker_hides_its_fault_from_the_caller(
    caplog: pytest.LogCaptureFixture, fault: Callable[[], object]
) -> None:
    with transaction.atomic():
        enqueue(other, inline=fault)
        enqueue(work)
    assert "ZeroDivisionError" in caplog.text
    assert done == ["work"]
    enqueue(other, inline=fault)


def test_one_that_is_rolled_back_is_none() -> None:
    with transaction.atomic():
        enqueue(work)
        transaction.set_rollback(True)
    assert done == []


def test_one_message_per_transaction(queue: redis.Redis) -> None:
    with transaction.atomic():
        for _ in range(1000):
            enqueue(work, inline=lambda: done.append("inline"))
        enqueue(other)
        assert names(queue) == []
    prefix = "tests.core.test_dispatch"
    assert sorted(names(queue)) == [f"['{prefix}.other']", f"['{prefix}.work']"]
    assert done == []


def test_a_process_out_of_threads_sends_again_later(
    queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", refuse)
        enqueue(work)
    assert names(queue) == []
    enqueue(other)
    assert len(names(queue)) == 2


def test_a_redis_at_a_socket_is_a_broker_too(use_broker: Broker, tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/redis.sock?db=3"
    with redis_at_socket(tmp_path / "redis.sock"), redis.Redis.from_url(url) as client:
        use_broker(broker_url(broker_at(url)))
        enqueue(work)
        assert names(client) == ["['tests.core.test_dispatch.work']"]


def test_a_rolled_back_savepoint_drops_only_its_own(
    queue: redis.Redis,
) -> None:
    with transaction.atomic():
        with transaction.atomic():
            enqueue(work)
            transaction.set_rollback(True)
        enqueue(work)
    assert len(names(queue)) == 1


def test_an_absent_broker_is_logged_then_skipped(
    use_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    use_broker(f"redis://127.0.0.1:{free_port()}/0")
    for _ in range(50):
        with transaction.atomic():
            enqueue(work)
    all_sent()
    (warning,) = [one for one in caplog.records if one.name == "connections_project.core.dispatch"]
    assert warning.levelno == logging.WARNING
    assert "tests.core.test_dispatch.work" in warning.getMessage()


def test_a_broker_that_hangs_delays_nobody(use_broker: Broker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_broker(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        for _ in range(50):
            with transaction.atomic():
                enqueue(work)
        assert time.monotonic() - began < 0.2
        all_sent()


def test_a_broker_that_is_back_gets_messages(use_broker: Broker) -> None:
    url = url_or_skip()
    relay = Relay(url)
    use_broker(relay.url)
    with redis.Redis.from_url(url) as queue:
        queue.delete("connections")
        for _ in range(2):
            with relay.open():
                with transaction.atomic():
                    enqueue(work)
                all_sent()
        # The connection that the first one left behind is dead, which the next message survives.
        assert len(names(queue)) == 2
        queue.delete("connections")


def test_many_threads_share_a_few_messages(queue: redis.Redis) -> None:
    def send(number: int) -> None:
        for _ in range(20):
            dispatch_module._broker.send("some.task")
        dispatch_module._broker.send(f"task.{number}")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = names(queue)
    assert set(result) == {"['some.task']", *(f"['task.{number}']" for number in range(8))}
    assert result.count("['some.task']") <= 5


def test_a_call_in_flight_sends_another_message(
    use_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker may have looked already, before the later commit."""
    use_broker("redis://127.0.0.1/0")
    sent: list[str] = []

    def send(name: str) -> None:
        sent.append(name)
        if len(sent) == 1:
            dispatch_module._broker.send(name)

    monkeypatch.setattr(dispatch_module, "_send", send)
    dispatch_module._broker.send("some.task")
    all_sent()
    assert sent == ["some.task"] * 2


def test_an_own_fault_does_not_end_all_dispatch(
    use_broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_broker("redis://127.0.0.1/0")
    sent: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(dispatch_module, "_send", lambda _: 1 // 0)
        dispatch_module._broker.send("some.task")
        all_sent()
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.setattr(dispatch_module, "_send", sent.append)
    dispatch_module._broker.send("some.task")
    all_sent()
    assert sent == ["some.task"]


def test_a_process_that_ends_sends_its_message(queue: redis.Redis) -> None:
    """As a command is that disconnects many and has nothing else to do."""
    program = (
        "import django; django.setup()\n"
        "from connections_project.core.dispatch import _broker\n"
        "_broker.send('some.task'); _broker.send('another.task')"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "CELERY_BROKER_URL": url_or_skip(),
    }
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=30)
    assert set(names(queue)) == {"['some.task']", "['another.task']"}
