"""Hosts' clocks may be wrong: what processes store and compare is by the database's clock."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.utils import timezone

from audit.events import Interface
from audit.models import Seal
from audit.seal import seal_recent
from connections_project.core.clock import DatabaseClock, database_clock
from connections_project.core.postgresql.base import DatabaseWrapper
from connections_project.core.postgresql.silence import Connection as Session
from connections_project.core.postgresql.silence import SilentServerError
from connections_project.identity.models import User
from connections_project.metrics import tables
from connections_project.metrics.models import TableMetrics
from connections_project.revocation.models import Circuit, RevocationJob
from connections_project.revocation.retention import forget_old_jobs
from connections_project.revocation.worker import run_worker
from providers.sweep import sweep_pending
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of
from tests.support.revocation_jobs import make_jobs

of_postgresql = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has the host's clock"),
]
ROOT = Path(__file__).parents[2]
EXECUTE = Session.execute
HOSTS_CLOCK = re.compile(r"timezone\.now\(\)|default_factory=timezone\.now|\btime\.time\(\)")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be as a process is that has just begun."""
    monkeypatch.setattr(database_clock, "next_reading", 0.0)
    monkeypatch.setattr(database_clock, "_lead", None)
    connection.close()


def without_pool() -> Any:
    """Return a session's wrapper as behind a pooler."""
    own = connection.copy()
    del own.settings_dict["OPTIONS"]["pool"]
    own.settings_dict["CONN_MAX_AGE"] = 60
    return own


def test_once_it_was_read_the_hosts_clock_may_be_set() -> None:
    one, began = DatabaseClock(), timezone.now()
    one.set(began.timestamp() - 3600)
    with time_machine.travel(began + DAY):
        assert timedelta() <= one.now() - (began - timedelta(hours=1)) < SECOND


def test_it_is_read_once_in_a_while() -> None:
    one = DatabaseClock()
    assert [one.is_due(), one.is_due()] == [True, True]
    one.set(timezone.now().timestamp())
    assert not one.is_due()
    one.next_reading = 0.0
    assert [one.is_due(), one.is_due()] == [True, False], "One thread reads it for all."


@pytest.mark.parametrize("slept", [2.0, -2.0])
def test_it_is_read_again_after_a_suspension(slept: float) -> None:
    """The host's clock shows it: the monotonic one has stood still."""
    one = DatabaseClock()
    one.set(timezone.now().timestamp())
    with time_machine.travel(timezone.now() + timedelta(seconds=slept)):
        assert [one.is_due(), one.is_due()] == [True, False]
        one.set(timezone.now().timestamp())
        assert not one.is_due()


def test_a_reading_that_was_not_made_is_due_again_soon() -> None:
    one = DatabaseClock()
    one.set(timezone.now().timestamp())
    one.next_reading = 0.0
    assert one.is_due()
    assert one.next_reading - time.monotonic() < 2


def test_what_is_shared_is_stored_and_compared_by_it() -> None:
    apps = ("audit", "channels", "providers", "social")
    parts = ("revocation", "events", "connections", "metrics", "operations", "core", "webhooks",
             "receipts", "identity", "scim", "pages")  # fmt: skip
    folders = [ROOT / app for app in apps] + [ROOT / "connections_project" / part for part in parts]
    own = {"clock.py"}
    found = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.rglob("*.py")
        if path.name not in own and HOSTS_CLOCK.search(path.read_text())
    ]
    assert found == []


class TestAProcessWhoseClockIsAhead:
    pytestmark = of_postgresql

    @pytest.fixture(autouse=True)
    def right(self, read: None) -> Iterator[datetime]:
        """The right time; the process's own is another one."""
        right = timezone.now()
        with time_machine.travel(right + timedelta(hours=25)):
            yield right

    def test_puts_nothing_off_until_its_own_time_has_come(
        self, right: datetime, bank: Bank, use_catalogue: Callable[..., None]
    ) -> None:
        use_catalogue(bank.catalogue("bank", revocation='tokens = ["refresh_token"]'), "bank")
        bank.server.on("POST", "/revoke", Answer(503))
        make_jobs("bank", *"abcde", created_at=right, due_at=right)
        list(run_worker(interface=Interface.WORKER))
        soon = right + timedelta(minutes=5)
        assert RevocationJob.objects.filter(state="pending", due_at__lt=soon).count() == 5
        assert Circuit.objects.filter(platform="bank", blocked_until__lt=soon).exists()

    def test_knows_it_from_the_first(self, right: datetime) -> None:
        assert database_clock.now() < right + timedelta(minutes=1)

    def test_ends_no_callback_under_way(self, right: datetime, owner: User, bank: Bank) -> None:
        connection_of(owner, status="pending", now=right)
        assert sweep_pending() == 0

    def test_seals_by_the_right_time(self, right: datetime, owner: User, bank: Bank) -> None:
        connection_of(owner, status="pending", now=right - timedelta(days=1))
        assert sweep_pending() == 1
        assert seal_recent() == 1
        assert Seal.objects.get().sealed_at < right + timedelta(minutes=1)

    def test_erases_nothing_early(self, right: datetime, settings: LazySettings) -> None:
        settings.JOB_RETENTION_DAYS = 1
        make_jobs("bank", "one", state="revoked", sealed_tokens=None, finished_at=right)
        assert forget_old_jobs() == 0

    def test_counts_for_nobody_else(self, right: datetime) -> None:
        tables.refresh()
        row = TableMetrics.objects.get()
        assert row.counted_at is not None
        assert max(row.claimed_at, row.counted_at) < right + timedelta(minutes=1)


@pytest.mark.parametrize("has_pool", [True, False])
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has the host's clock")
@pytest.mark.django_db(transaction=True)
def test_it_is_read_between_two_passes(
    read: None, monkeypatch: pytest.MonkeyPatch, has_pool: bool
) -> None:
    """Of a command that goes on for days, as between two requests."""
    own = connection.copy() if has_pool else without_pool()
    with closing(own):
        own.ensure_connection()
        monkeypatch.setattr(database_clock, "next_reading", 0.0)
        own.close_if_unusable_or_obsolete()
        own.ensure_connection()
        assert database_clock.next_reading - time.monotonic() > 50


def fall_silent(session: Session) -> None:
    session.close()
    raise SilentServerError


class TestAReadingThatFails:
    pytestmark = of_postgresql

    @pytest.fixture(autouse=True)
    def failing(self, read: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Have the clock's statement fail: by itself or, given what to do, by that."""

        def fail(
            instead: Callable[[Session], Any] = lambda on: EXECUTE(on, "SELECT 1 / 0"),
        ) -> None:
            def execute(session: Session, query: Any, *args: Any, **kwargs: Any) -> Any:
                asked = "clock_timestamp" in str(query)
                return instead(session) if asked else EXECUTE(session, query, *args, **kwargs)

            monkeypatch.setattr(Session, "execute", execute)

        return fail

    @pytest.mark.parametrize("has_pool", [True, False])
    def test_leaves_a_session_that_can_be_used(
        self, failing: Callable[..., None], has_pool: bool
    ) -> None:
        failing()
        own = connection.copy() if has_pool else without_pool()
        with closing(own), own.cursor() as cursor:
            assert cursor.execute("SELECT 1").fetchone() == (1,)

    def test_on_a_silent_server_ends_all_sessions(
        self, failing: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(DatabaseWrapper, "_distrusted_at", 0.0)
        failing(fall_silent)
        with pytest.raises(OperationalError):
            User.objects.count()
        assert DatabaseWrapper._distrusted_at
        assert connection.connection is None
        monkeypatch.undo()
        assert User.objects.count() == 0

    def test_none_is_made_between_two_requests(
        self, failing: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that is about to begin may need no database."""
        own = without_pool()
        with closing(own):
            own.ensure_connection()
            monkeypatch.setattr(database_clock, "next_reading", 0.0)
            failing(pytest.fail)
            own.close_if_unusable_or_obsolete()
            assert own.connection is None


@pytest.mark.django_db
def test_a_count_claimed_in_the_future_is_none() -> None:
    ahead = timezone.now() + timedelta(hours=25)
    TableMetrics.objects.create(pk=1, claimed_at=ahead, counted_at=ahead)
    tables.refresh()
    row = TableMetrics.objects.get()
    assert row.counted_at is not None
    assert max(row.claimed_at, row.counted_at) <= timezone.now()
