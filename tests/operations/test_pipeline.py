"""Two batches at a time: one is prepared while the database is busy with the other."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from connections_project.operations.pipeline import pipelined

SECONDS = 20

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)


@on_postgresql
def test_two_are_under_way_at_a_time() -> None:
    both = threading.Barrier(2)
    assert sorted(pipelined(lambda each: (both.wait(SECONDS), each)[1], range(6))) == [*range(6)]


@on_postgresql
def test_a_failure_begins_no_other_and_loses_nothing_that_was_done() -> None:
    taken, both, failed = [], threading.Barrier(2), threading.Event()

    def batches() -> Iterator[int]:
        for number in range(9):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        both.wait(SECONDS)
        if number == 0:
            failed.set()
            raise LookupError
        failed.wait(SECONDS)
        return number

    done: list[int] = []
    with pytest.raises(LookupError):
        done.extend(pipelined(work, batches()))
    assert done == [1]
    assert taken == [0, 1]


def test_a_transaction_of_the_caller_does_them_all() -> None:
    with transaction.atomic():
        assert set(pipelined(lambda _: threading.get_ident(), range(3))) == {threading.get_ident()}


@on_postgresql
def test_a_pool_of_two_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {**connection.settings_dict["OPTIONS"], "pool": {"max_size": 2}}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", small)
    assert set(pipelined(lambda _: threading.get_ident(), range(3))) == {threading.get_ident()}
