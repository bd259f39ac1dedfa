"""Sessions of a process without a pool of its own: a pooler may stand before the server."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection

from connections_project.conf.databases import described
from connections_project.core.postgresql import pooler
from connections_project.core.postgresql.base import DatabaseWrapper
from connections_project.core.postgresql.looks import OneLook
from connections_project.core.postgresql.pooler import PoolerConnection
from connections_project.core.postgresql.silence import Connection, SilentServerError

of_postgresql = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no pooler"),
]


def test_one_looks_for_all_who_wait() -> None:
    one, looking, answered, looks = OneLook[bool](), Event(), Event(), 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        looking.set()
        return answered.wait(10)

    all_ask = Barrier(3)

    def ask() -> bool:
        all_ask.wait(10)
        return one.seen(look)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(one.seen, look)
        assert looking.wait(10)
        others = [threads.submit(ask) for _ in range(2)]
        all_ask.wait(10)
        time.sleep(0.2)
        answered.set()
        assert [each.result() for each in (first, *others)] == [True] * 3
    assert looks == 1
    assert one.seen(lambda: False) is False, "What was found before is not held on to."


class TestASession:
    pytestmark = of_postgresql

    @pytest.fixture
    def wrapper(self) -> Iterator[DatabaseWrapper]:
        options = described(connection.settings_dict, pool_size=0, statement_seconds=0)
        options["OPTIONS"].pop("pool", None)
        wrapper = DatabaseWrapper(connection.settings_dict | options, "pooler")
        wrapper.ensure_connection()
        yield wrapper
        wrapper.close()

    def test_asks_whether_a_caller_is_served(
        self, wrapper: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pooler, "SERVED_WITHIN", 0.2)
        session = wrapper.connection
        assert isinstance(session, PoolerConnection)
        assert session.look()
        monkeypatch.setitem(session._parameters, "dbname", "nowhere")
        with pytest.raises(SilentServerError):
            session.look()

    def test_of_a_pool_waits_where_no_caller_is_let_in(
        self, wrapper: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert isinstance(wrapper.connection, PoolerConnection)
        with Connection.connect(**wrapper.connection._parameters) as session:
            assert session.look()
            monkeypatch.setitem(session._parameters, "dbname", "nowhere")
            assert session.look() is None

    def test_is_asked_once_after_an_error(
        self, wrapper: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As it is used next; a silent server is waited for as often as it is asked."""
        monkeypatch.setattr(wrapper, "is_usable", pytest.fail)
        wrapper.errors_occurred = True
        wrapper.close_if_unusable_or_obsolete()
        assert not wrapper.errors_occurred
