"""A batch: few statements for many rows, and one bad row harms no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from audit.record import Origin
from connections_project.identity.models import User
from connections_project.operations import engine as engine_module
from connections_project.operations.engine import Engine
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions, InvalidReasonError, Result
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.operations.conftest import WHY, UsePlatforms, account_of_user, many_like
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of, events
from tests.support.sql_statements import LISTENERS

pytestmark = pytest.mark.django_db

MAKE: dict[str, Callable[..., Any]] = {
    "providers": connection_of,
    "channels": channel_of,
    "social": account_of_user,
}
ALL = DisconnectOptions("breach", cancel_schedules=True, erase_tokens=True)


def statements(app: str, ids: list[Any], origin: Origin) -> int:
    """End a batch, and count its statements.

    Those that write events count as one on SQLite, which splits them at its limit of parameters.
    """
    with CaptureQueriesContext(connection) as queries:
        done = Engine(app, ALL, origin).end(ids)
    assert len(done.ended) == len(ids)
    split = connection.vendor == "sqlite"
    asked = [query["sql"] for query in queries if LISTENERS not in query["sql"]]
    sent = [sql[:30] if split else sql for sql in asked]
    return len({one for one in sent if "audit_auditevent" in one}) + sum(
        "audit_auditevent" not in one for one in sent
    )


@pytest.mark.parametrize("app", list(MAKE))
def test_statements_do_not_grow_with_the_batch(
    owner: User, origin: Origin, use_platforms: UsePlatforms, app: str
) -> None:
    use_platforms("grant")
    rows = [MAKE[app](owner, account_id=str(number)) for number in range(60)]
    if app == "channels":
        for row in rows:
            schedule_of(row)
    ids = [row.pk for row in rows]
    few = statements(app, ids[:10], origin)
    assert statements(app, ids[10:], origin) == few
    # Among them the savepoint that stands for the transaction here.
    assert few <= {"providers": 9, "channels": 11, "social": 13}[app]


def test_a_thousand_are_no_more_statements(owner: User, origin: Origin, platforms: object) -> None:
    few = statements("providers", [connection_of(owner).pk], origin)
    many_like(connection_of(owner), 999)
    live = Connection.objects.filter(status="active").values_list("pk", flat=True)
    assert statements("providers", list(live), origin) == few
    assert RevocationJob.objects.count() == 1001


def test_the_ciphertext_is_moved_unopened_and_unseen(
    owner: User, origin: Origin, platforms: object
) -> None:
    row = connection_of(owner)
    sealed = row.auth_state
    assert sealed is not None
    with CaptureQueriesContext(connection) as queries:
        force_disconnect("providers", [row.pk], WHY, origin=origin)
    assert RevocationJob.objects.get().sealed_tokens == sealed
    assert sealed.ciphertext not in "".join(query["sql"] for query in queries)


@contextmanager
def refusing(row: Connection) -> Iterator[None]:
    """Have the database refuse every change of one row, as a constraint may."""
    with connection.cursor() as cursor:
        for statement in _REFUSAL[connection.vendor]:
            cursor.execute(statement.replace("KEY", _stored(row)))
    yield
    with connection.cursor() as cursor:
        for statement in _PARDON[connection.vendor]:
            cursor.execute(statement)


def _stored(row: Connection) -> str:
    return row.pk.hex if connection.vendor == "sqlite" else str(row.pk)


_REFUSAL = {
    "sqlite": [
        """CREATE TEMP TRIGGER refusal BEFORE UPDATE ON providers_connection
        WHEN OLD.id = 'KEY' BEGIN SELECT RAISE(ABORT, 'no'); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION refusal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF OLD.id = 'KEY' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$""",
        """CREATE TRIGGER refusal BEFORE UPDATE ON providers_connection
        FOR EACH ROW EXECUTE FUNCTION refusal()""",
    ],
}
_PARDON = {
    "sqlite": ["DROP TRIGGER refusal"],
    "postgresql": [
        "DROP TRIGGER refusal ON providers_connection",
        "DROP FUNCTION refusal",
    ],
}


def test_a_row_the_database_refuses_fails_alone(
    owner: User, origin: Origin, platforms: object
) -> None:
    rows = [connection_of(owner, account_id=str(number)) for number in range(9)]
    bad = rows[4]
    with refusing(bad):
        result = force_disconnect("providers", [row.pk for row in rows], WHY, origin=origin)
    assert (result.disconnected, result.passed_over, result.revocations) == (8, 0, 8)
    (failure,) = result.failures
    assert (failure.connection_id, failure.cause) == (bad.pk, "database_refused")
    assert failure.detail.startswith("The database refuses the change: ")
    bad.refresh_from_db()
    assert bad.status == "active"
    assert bad.auth_state is not None
    # No event, no job, and the grant keeps its holder.
    assert len(events("connection_force_disconnected")) == len(events("provider_disconnected")) == 8
    assert not AuditEvent.objects.filter(subject_id=bad.pk).exists()
    assert [hold.connection_id for hold in GrantHold.objects.all()] == [bad.pk]


def test_the_databases_words_are_shown_to_nobody(
    owner: User, origin: Origin, platforms: object, caplog: pytest.LogCaptureFixture
) -> None:
    row = connection_of(owner)
    sealed = row.auth_state
    assert sealed is not None
    with refusing(row):
        (failure,) = force_disconnect("providers", [row.pk], WHY, origin=origin).failures
    assert sealed.ciphertext[:20] not in failure.detail + caplog.text


def test_what_the_database_breaks_off_is_tried_again(
    owner: User, origin: Origin, platforms: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "PAUSE_SECONDS", 0)
    row = connection_of(owner)
    broken_off = iter([OperationalError("deadlock detected")] * 2)
    commit = Engine._commit

    def break_off(self: Engine, ids: Any, *, wait: bool) -> Any:
        for error in broken_off:
            raise error
        return commit(self, ids, wait=wait)

    monkeypatch.setattr(Engine, "_commit", break_off)
    assert force_disconnect("providers", [row.pk], WHY, origin=origin).disconnected == 1


def test_a_lasting_outage_reaches_the_caller(
    owner: User, origin: Origin, platforms: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "PAUSE_SECONDS", 0)
    row = connection_of(owner)

    def be_away(*_: Any, **__: Any) -> None:
        raise OperationalError("the server is gone")

    monkeypatch.setattr(Engine, "_commit", be_away)
    with pytest.raises(OperationalError):
        force_disconnect("providers", [row.pk], WHY, origin=origin)


def test_each_batch_is_reported_after_its_commit(
    owner: User, origin: Origin, platforms: object
) -> None:
    ids = [connection_of(owner, account_id=str(number)).pk for number in range(5)]
    recorded: list[Result] = []
    total = force_disconnect(
        "providers", ids, WHY, origin=origin, batch_size=2, on_batch=recorded.append
    )
    assert [one.processed for one in recorded] == [2, 2, 1]
    assert sum(recorded, Result()) == total


def test_what_is_over_or_gone_is_passed_over(
    owner: User, origin: Origin, platforms: object
) -> None:
    over, live = connection_of(owner, status="disconnected"), connection_of(owner)
    ids = [over.pk, live.pk, owner.pk]
    result = force_disconnect("providers", ids, WHY, origin=origin)
    assert (result.disconnected, result.passed_over) == (1, 2)
    again = force_disconnect("providers", ids, WHY, origin=origin)
    assert (again.disconnected, again.passed_over) == (0, 3)
    assert len(events("connection_force_disconnected")) == 1


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 513, "a\x00b", "\udcff"])
def test_a_forced_disconnect_needs_a_reason(reason: str) -> None:
    with pytest.raises(InvalidReasonError):
        DisconnectOptions(reason)


def test_space_around_a_reason_does_not_count() -> None:
    assert DisconnectOptions(f"  {'x' * 512}\n").reason == "x" * 512


@pytest.mark.django_db(transaction=True)
def test_state_audit_and_job_are_one_commit(owner: User, origin: Origin, platforms: object) -> None:
    row = connection_of(owner)

    def fail(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Engine("providers", WHY, origin, in_commit=fail).end([row.pk])
    row.refresh_from_db()
    assert (row.status, row.auth_state is not None) == ("active", True)
    assert not AuditEvent.objects.exists()
    assert not RevocationJob.objects.exists()
    assert GrantHold.objects.exists()
    assert not transaction.get_connection().in_atomic_block
