"""Nothing is spent at a platform while the database could not store what comes of it."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg.sql import SQL, Identifier
from rest_framework.test import APIClient

from channels.models import ChannelConnection, PublishEvent, Schedule
from connections_project.connections import callback
from connections_project.core import storable
from connections_project.core.request_slots import request_slot
from connections_project.events.models import Delivery
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import GrantHold, OpenQuestion
from providers.models import Connection
from social.models import Publication
from tests.conftest import UseCatalogue
from tests.support import bank as banks
from tests.support.bank import Bank
from tests.support.channel_publishing import ADAPTER, X, accepted, due_schedule, published
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.platform_server import PlatformServer
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)

Hold = Callable[[], Any]
# test_storable_tables.py finds those that are not looked at.
WRITTEN = (PublishEvent, Schedule, Publication, Connection, Delivery, GrantHold, OpenQuestion, User)
FULL = "PERFORM 1; RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100';"


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storable, "memory", storable.Memory())
    monkeypatch.setattr(storable, "REMEMBERED_SECONDS", 0.0)


@contextmanager
def full_disk() -> Iterator[None]:
    """Answer as a full disk does; tests/faults/test_full_disk.py has a real one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storable, "_ROOM", FULL)
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
        yield


@contextmanager
def locked(table: str = "audit_auditevent", mode: str = "ACCESS EXCLUSIVE") -> Iterator[None]:
    """Hold a lock, by default the one that ALTER TABLE takes."""
    if connection.vendor != "postgresql":
        pytest.skip("a file has no locks of tables")
    given = connection.get_connection_params()
    options = {name: given[name] for name in ("host", "port", "user", "dbname") if name in given}
    with psycopg.connect(**options) as other:
        statement = SQL("LOCK TABLE {} IN {} MODE").format(Identifier(table), SQL(mode))
        other.execute(statement)
        yield
        other.rollback()


@pytest.fixture(params=[full_disk, locked], ids=["full disk", "locked table"])
def held_up(request: pytest.FixtureRequest) -> Hold:
    hold: Hold = request.param
    return hold


def refresh(api: APIClient, row: Connection) -> int:
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    return api.post(path, {"force": True}, format="json").status_code


def test_no_refresh_token_is_spent(api: APIClient, owner: User, bank: Bank, held_up: Hold) -> None:
    row = connection_of(owner)
    with held_up():
        assert refresh(api, row) == 503
    assert bank.server.requests == []
    row.refresh_from_db()
    assert (row.status, row.opened()) == ("active", TokenSet("access-0", "refresh-0"))
    assert row.refresh_lease is None
    assert refresh(api, row) == 201


def test_no_code_is_spent(api: APIClient, bank: Bank, held_up: Hold) -> None:
    state = banks.start(api)
    with held_up():
        assert banks.call_back(api, state).status_code == 503
    assert bank.token_requests("authorization_code") == []
    # The state is as good as the code.
    assert banks.call_back(api, state).status_code == 201


def test_no_post_is_sent(
    owner: User, server: PlatformServer, use_catalogue: UseCatalogue, held_up: Hold
) -> None:
    chirp = Chirp(server)
    use_catalogue(chirp.catalogue(more=ADAPTER.format("x")), "chirp")
    chirp.open()
    server.on("POST", X, accepted())
    row: ChannelConnection = channel_of(owner)
    schedule = due_schedule(row)
    with held_up():
        assert published() == []
    assert server.requests == []
    schedule.refresh_from_db()
    # Not `publishing`, after which nobody could tell whether it is out.
    assert schedule.status == "queued"


def test_all_that_an_answer_is_written_to_is_looked_at() -> None:
    for model in WRITTEN:
        with locked(model._meta.db_table), pytest.raises(storable.NotStorableError):
            storable.require_storable()


def test_an_index_on_people_stops_nothing() -> None:
    """Of them a row is locked alone, which a CREATE INDEX lets through."""
    with locked(User._meta.db_table, mode="SHARE"):
        storable.require_storable()


def test_what_is_remembered_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(storable, "REMEMBERED_SECONDS", 60.0)
    storable.require_storable()
    with django_assert_num_queries(0):
        storable.require_storable()
    storable.memory.refuse()
    with django_assert_num_queries(0), pytest.raises(storable.NotStorableError):
        storable.require_storable()


def test_a_full_disk_that_anybody_meets_is_remembered() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL's errors")
    storable.memory.good_until = float("inf")
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute(f"DO $$ BEGIN {FULL} END $$")
    assert storable.memory.good_until == 0


def test_who_gives_way_in_a_deadlock_has_spent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a file has no locks of tables")
    ends = "PERFORM 1; RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';"
    monkeypatch.setattr(storable, "_ROOM", ends)
    with pytest.raises(storable.NotStorableError):
        storable.require_storable()


def test_who_may_have_no_temporary_file_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL's limits")
    monkeypatch.setattr(storable, "_ROOM", f"SET LOCAL temp_file_limit = 0; {storable._ROOM}")
    storable.require_storable()


def test_one_looks_for_all_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storable, "REMEMBERED_SECONDS", 60.0)
    looks, others = [], threading.Barrier(4)

    def look(_: object) -> None:
        looks.append(1)
        # Whoever else looks meanwhile is seen.
        sleep(0.3)
        raise OperationalError

    monkeypatch.setattr(storable, "_look", look)

    def ask() -> None:
        others.wait()
        with pytest.raises(OperationalError):
            storable.require_storable()

    with ThreadPoolExecutor(4) as threads:
        for one in [threads.submit(ask) for _ in range(4)]:
            one.result()
    assert len(looks) == 1


def test_a_callback_waits_within_its_platforms_share(
    api: APIClient, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved: list[str] = []

    def refused() -> None:
        slot = request_slot()
        assert slot is not None
        reserved.append(str(slot.server))
        raise storable.NotStorableError

    state = banks.start(api)
    monkeypatch.setattr(callback, "require_storable", refused)
    assert banks.call_back(api, state).status_code == 503
    assert reserved == ["bank"]
