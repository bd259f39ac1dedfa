"""Periodic tasks: each in its time, none stopped by another's fault."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery import signals
from celery.app.task import Context
from celery.beat import Scheduler, Service

import connections_project.beat
from connections_project.celery import FROM_BEAT, app, run_periodic_task
from connections_project.core import periodic
from connections_project.core.periodic import (
    PeriodicRunner,
    PeriodicTask,
    periodic_task,
    periodic_task_of,
    periodic_tasks,
)

done: list[str] = []


def first() -> None:
    done.append("first")


def failing() -> None:
    raise RuntimeError("of its own")


def last() -> None:
    done.append("last")


@pytest.fixture(autouse=True)
def _own_periodic_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "_periodic_tasks", {})
    done.clear()


def test_a_failing_task_is_logged_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for work in (first, failing, last):
        periodic_task(work)
    periodic.run_due()
    assert done == ["first", "last"]
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "tests.core.test_periodic.failing" in record.getMessage()


def test_each_runs_at_its_own_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    periodic_task(first, every=10)
    periodic_task(last, every=60)
    keeper = PeriodicRunner()
    for now in range(0, 72, 9):
        monkeypatch.setattr(time, "monotonic", lambda now=now: float(now))
        keeper.run_due()
    assert (done.count("first"), done.count("last")) == (4, 2)


def test_what_the_caller_does_itself_is_left_out() -> None:
    periodic_task(first)
    periodic_task(last)
    periodic.run_due(besides=[first])
    assert done == ["last"]


def test_a_call_during_a_failing_run_causes_one_more_run() -> None:
    begun, go_on, times = threading.Event(), threading.Event(), []

    def failing_once() -> None:
        times.append(1)
        begun.set()
        assert go_on.wait(5)
        if len(times) == 1:
            raise RuntimeError("of its own")

    each = PeriodicTask(failing_once, 60)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(each.do)
        assert begun.wait(5)
        each.do()
        go_on.set()
    # It is told of all the same.
    assert isinstance(running.exception(), RuntimeError)
    assert len(times) == 2


def test_a_call_during_a_run_causes_one_more_run() -> None:
    begun, go_on, times = threading.Event(), threading.Event(), []

    def slow() -> None:
        times.append(1)
        begun.set()
        assert go_on.wait(5)

    each = PeriodicTask(slow, 60)
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(each.do)
        assert begun.wait(5)
        for _ in range(100):
            each.do()  # Comes back at once.
        go_on.set()
        working.result(5)
    assert len(times) == 2


def test_a_failed_task_can_be_run_again() -> None:
    each = PeriodicTask(failing, 60)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            each.do()


def test_one_that_nobody_registered_is_refused() -> None:
    with pytest.raises(KeyError):
        periodic_task_of(first)


@pytest.fixture
def schedule() -> Iterator[Callable[[], dict[str, dict[str, object]]]]:
    before = app.conf.beat_schedule

    def schedule() -> dict[str, dict[str, object]]:
        app.loader.import_default_modules()
        return dict(app.conf.beat_schedule)

    yield schedule
    app.conf.beat_schedule = before


def test_beat_knows_every_periodic_task(
    schedule: Callable[[], dict[str, dict[str, object]]],
) -> None:
    periodic_task(first, every=5)
    (entry,) = schedule().values()
    assert str(entry.pop("schedule")) == "<freq: 5.00 seconds>"
    assert entry == {
        "task": "connections_project.run_periodic_task",
        "args": ["tests.core.test_periodic.first"],
        # Without an end: by which clock?
        "options": {"headers": {FROM_BEAT: True}},
    }
    assert [each.work for each in periodic_tasks()] == [first]


@pytest.fixture
def beat(schedule: Callable[[], dict[str, dict[str, object]]]) -> Scheduler:
    periodic_task(first, every=5)
    periodic_task(last, every=3600)
    schedule()
    service = Service(app, scheduler_cls=app.conf.beat_scheduler)
    signals.beat_init.send(sender=service)
    return service.scheduler


def test_beat_begins_with_all_of_them(beat: Scheduler) -> None:
    assert [entry.is_due().is_due for entry in beat.schedule.values()] == [True, True]


@pytest.mark.parametrize("moved_by", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_is_set_moves_no_interval_of_beat(
    beat: Scheduler, moved_by: timedelta
) -> None:
    sent = beat.reserve(beat.schedule[periodic_task_of(first).name])
    with time_machine.travel(datetime.now(UTC) + moved_by):
        assert not sent.is_due().is_due
        assert 4 < sent.is_due().next <= 5


def test_beat_piles_up_no_more_than_a_worker_can_do_soon(
    beat: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_project.beat, "MOST_WAITING", 3)
    entry = beat.schedule[periodic_task_of(first).name]
    with app.connection_for_write("memory://") as broker:
        queue = broker.SimpleQueue("connections")
        queue.clear()
        monkeypatch.setattr(beat, "connection", broker)
        producer = app.amqp.Producer(broker, auto_declare=False)
        for _ in range(5):
            beat.apply_entry(entry, producer=producer)
        assert queue.qsize() == 3
        queue.get(timeout=5).ack()
        beat.apply_entry(entry, producer=producer)
        assert queue.qsize() == 3
        queue.clear()


def test_of_what_beat_has_piled_up_most_is_passed_over() -> None:
    periodic_task(first, every=3600)
    name = periodic_task_of(first).name
    for _ in range(100):
        run_periodic_task.apply([name], headers={FROM_BEAT: True})
    assert done == ["first"]
    run_periodic_task.apply([name])
    assert done == ["first", "first"], "Somebody has asked for it early."


def test_a_worker_sees_which_messages_are_of_beat() -> None:
    with app.connection_for_write("memory://") as broker:
        run_periodic_task.apply_async(["any"], headers={FROM_BEAT: True}, connection=broker)
        message = broker.SimpleQueue("connections").get(timeout=5)
        # A worker makes a task's context of these.
        assert Context(message.headers).headers == {FROM_BEAT: True}


def test_what_takes_longer_than_its_interval_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def slow() -> None:
        nonlocal now
        done.append("slow")
        now += 25

    each = PeriodicTask(slow, 30)
    for number in range(3):
        now = 1000.0 + 30 * number
        each.do_if_due()
    assert len(done) == 3


def test_what_has_failed_is_not_passed_over() -> None:
    each = PeriodicTask(failing, 3600)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            each.do_if_due()
