"""Whether tokens have outlived a revocation beside them is asked until it is answered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.admin.dashboard.alerts import alerts
from connections_project.connections.confirm import confirm_holders
from connections_project.connections.open_questions import ask_open_questions, live_holders
from connections_project.core.ids import first_uuid7, uuid7
from connections_project.identity.models import User
from connections_project.metrics import tables
from connections_project.metrics.models import TableMetrics
from connections_project.oauth.client import TokenSet
from connections_project.platforms.models import Suspension
from connections_project.revocation.grants import Grant, add_holder
from connections_project.revocation.models import CallCircuit, GrantHold, OpenQuestion
from providers.models import Connection
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, Gate, meanwhile, wait_until
from tests.support.bank import Bank
from tests.support.database_threads import with_own_connection
from tests.support.gallery import Gallery
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of
from tests.support.sql_statements import counted

pytestmark = pytest.mark.django_db(transaction=True)

FAULTS = {
    "away": Answer(503),
    "limited": Answer(429),
    "malformed": Answer(200, body=b"<!doctype html>"),
    "refused": Answer(403),
    "reset": Answer(reset=True),
}
DEAD = Answer(400, json={"error": "invalid_grant"})


@pytest.fixture
def row(owner: User, bank: Bank) -> Connection:
    return connection_of(owner)


def ask_again(**columns: Any) -> None:
    OpenQuestion.objects.update(due_at=timezone.now(), **columns)
    ask_open_questions()


def at_the_end() -> dict[str, datetime]:
    return {"created_at": timezone.now() - timedelta(days=2)}


def now_is(row: Connection) -> tuple[str, str | None]:
    row.refresh_from_db()
    return row.status, row.attention_reason


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_no_answer(row: Connection, bank: Bank, fault: str) -> None:
    bank.server.on("GET", "/me", FAULTS[fault])
    confirm_holders(row.grant)
    ask_again()
    assert now_is(row) == ("active", None)
    bank.server.on("GET", "/me", Answer(401))
    ask_again()
    assert now_is(row) == ("revoked", "grant_revoked")
    assert not OpenQuestion.objects.exists()


def test_one_that_is_answered_is_asked_once(row: Connection, bank: Bank) -> None:
    confirm_holders(row.grant)
    assert not OpenQuestion.objects.exists()
    bank.server.on("GET", "/me", Answer(503))
    confirm_holders(row.grant)
    bank.open()
    ask_again()
    assert now_is(row) == ("active", None)
    assert not OpenQuestion.objects.exists()


def test_it_waits_as_long_as_the_platform_asks(row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/me", Answer(429, headers={"Retry-After": "600"}))
    confirm_holders(row.grant)
    assert OpenQuestion.objects.get().due_at > timezone.now() + timedelta(seconds=500)
    ask_open_questions()
    assert len(bank.server.requests_to("/me")) == 1


def test_so_it_does_where_only_a_refresh_tells(row: Connection, bank: Bank) -> None:
    run_out(row)
    confirm_holders(row.grant)
    bank.server.on("POST", "/token", Answer(429, headers={"Retry-After": "600"}))
    ask_again()
    assert OpenQuestion.objects.get().due_at > timezone.now() + timedelta(seconds=500)
    assert now_is(row) == ("active", None)


def test_its_end_is_told_to_the_owner(row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/me", Answer(503))
    confirm_holders(row.grant)
    ask_again(**at_the_end())
    assert now_is(row) == ("active", "platform_error")
    event = AuditEvent.objects.get(action="provider_token_refresh_failed")
    assert (event.outcome, event.details["error"]) == ("failure", "unconfirmed")
    assert not OpenQuestion.objects.exists()


@pytest.mark.parametrize(
    ("answer", "outcome"), [(DEAD, ("expired", "grant_expired")), (None, ("active", None))]
)
def test_a_token_past_its_time_is_told_of_by_a_refresh(
    row: Connection, bank: Bank, answer: Answer | None, outcome: tuple[str, str | None]
) -> None:
    run_out(row)
    confirm_holders(row.grant)
    assert not bank.server.requests_to("/me")
    if answer:
        bank.server.on("POST", "/token", answer)
    ask_again()
    assert now_is(row) == outcome
    assert not OpenQuestion.objects.exists()


def run_out(row: Connection) -> None:
    Connection.objects.filter(pk=row.pk).update(token_expires_at=timezone.now())


def test_what_nobody_can_tell_needs_its_owner_at_once(owner: User, bank: Bank) -> None:
    row = connection_of(owner, tokens=TokenSet("access-0", expires_in=1800))
    run_out(row)
    confirm_holders(row.grant)
    ask_again()
    assert now_is(row) == ("active", "platform_error")
    assert not OpenQuestion.objects.exists()


def test_an_account_that_only_the_token_names_proves_nothing(
    row: Connection, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    lines = bank.catalogue().splitlines()
    use_catalogue("\n".join(one for one in lines if "identity_endpoint" not in one), "bank")
    bank.server.on("POST", "/token", DEAD)
    confirm_holders(row.grant)
    ask_again()
    assert now_is(row) == ("expired", "grant_expired")


def test_a_suspended_platform_is_waited_for(row: Connection, bank: Bank) -> None:
    run_out(row)
    Suspension.objects.create(slug="bank", reason="incident", suspended_at=timezone.now())
    confirm_holders(row.grant)
    ask_again(**at_the_end())
    assert OpenQuestion.objects.get().attempts == 1
    assert (now_is(row), bank.server.requests) == (("active", None), [])
    Suspension.objects.all().delete()
    bank.server.on("POST", "/token", DEAD)
    ask_again()
    assert now_is(row) == ("expired", "grant_expired")


def test_a_suspended_platform_is_not_asked(row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/me", Answer(503))
    confirm_holders(row.grant)
    Suspension.objects.create(slug="bank", reason="incident", suspended_at=timezone.now())
    ask_again()
    assert len(bank.server.requests) == 1
    assert now_is(row) == ("active", None)


def test_one_that_is_down_is_not_asked(row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/me", Answer(503))
    confirm_holders(row.grant)
    until = timezone.now() + timedelta(minutes=1)
    CallCircuit.objects.create(platform="bank", faults=5, blocked_until=until)
    ask_again()
    assert len(bank.server.requests) == 1


def test_a_platform_that_hangs_leaves_a_thread_to_others(
    owner: User, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    other = bank.catalogue("other").replace("/me", "/other")
    use_catalogue(bank.catalogue() + other, "bank", "other")
    gate = Gate(lambda: Answer(401))
    slow = [connection_of(owner, account_id=str(number)) for number in range(6)]
    for one in (*slow, last := connection_of(owner, slug="other")):
        ask_later(bank, one)
    bank.server.on("GET", "/me", gate)
    bank.server.on("GET", "/other", Answer(401))
    with meanwhile(ask_again) as asking:
        wait_until(lambda: now_is(last)[0] == "revoked")
        assert gate.visitors <= OpenQuestion.MOST_OF_A_PLATFORM
        gate.is_open.set()
    asking.result(PATIENCE)
    assert {now_is(one)[0] for one in slow} == {"revoked"}


def ask_later(bank: Bank, row: Connection) -> None:
    for path in ("/me", "/other"):
        bank.server.on("GET", path, Answer(503))
    confirm_holders(row.grant)


def test_a_connection_has_one_that_begins_anew(row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/me", Answer(503))
    confirm_holders(row.grant)
    OpenQuestion.objects.update(attempts=9, **at_the_end())
    confirm_holders(row.grant)
    question = OpenQuestion.objects.get()
    assert (question.attempts, question.lease) == (1, None)
    assert question.created_at > timezone.now() - timedelta(minutes=1)


def test_an_answer_of_before_does_not_end_the_one_after(row: Connection, bank: Bank) -> None:
    """Another revocation has come while the platform was answering."""

    def answer(_: Request) -> Answer:
        bank.server.on("GET", "/me", Answer(503))
        with_own_connection(lambda: confirm_holders(row.grant))
        return bank.identity()

    bank.server.on("GET", "/me", answer)
    confirm_holders(row.grant)
    assert OpenQuestion.objects.get().lease is None


@pytest.mark.parametrize("number", [1, 5])
def test_they_are_stored_by_one_statement(owner: User, bank: Bank, number: int) -> None:
    rows = [connection_of(owner, account_id=str(one)) for one in range(number)]
    Connection.objects.update(granting_user_id="kim")
    GrantHold.objects.update(platform_user_id="kim")
    bank.server.on("GET", "/me", Answer(503))
    with counted() as statements:
        confirm_holders(replace(rows[0].grant, platform_user_id="kim"))
    assert OpenQuestion.objects.count() == number
    assert len([one for one in statements if one.startswith("INSERT")]) == 1


def test_of_very_many_that_stay_open_the_oldest_are_counted(
    row: Connection, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_QUESTIONS", 2)
    monkeypatch.setattr("connections_project.admin.dashboard.alerts.MOST_QUESTIONS", 2)
    ago = timezone.now() - timedelta(hours=2)
    OpenQuestion.objects.bulk_create(
        OpenQuestion(
            id=UUID(int=first_uuid7(ago).int + number),
            created_at=ago,
            connection_id=uuid7(),
            app="providers",
            platform="bank",
        )
        for number in range(3)
    )
    assert what_needs_attention() == [
        "Bank does not say of at least 2 grants whether revocations ended them"
    ]


def test_an_operator_sees_what_stays_open(row: Connection, bank: Bank) -> None:
    ask_later(bank, row)
    assert what_needs_attention() == []
    ago = timezone.now() - timedelta(hours=2)
    OpenQuestion.objects.update(id=first_uuid7(ago), created_at=ago)
    assert what_needs_attention() == [
        "Bank does not say of 1 grants whether revocations ended them"
    ]


def what_needs_attention() -> list[str]:
    tables.refresh(older_than=timedelta(0))
    return [one.text for one in alerts(TableMetrics.objects.get().metrics, timezone.now())]


def test_without_a_wait_it_is_not_asked_again_at_once(
    row: Connection, bank: Bank, settings: LazySettings
) -> None:
    settings.REVOCATION_FIRST_RETRY_SECONDS = 0
    bank.server.on("GET", "/me", Answer(503))
    confirm_holders(row.grant)
    ask_open_questions()
    assert len(bank.server.requests) == 1


def test_tokens_that_were_replaced_meanwhile_are_asked_about_themselves(
    row: Connection, bank: Bank
) -> None:
    def replace(_: Request) -> Answer:
        Connection.objects.filter(pk=row.pk).update(epoch=row.epoch + 1)
        return Answer(401)

    bank.server.on("GET", "/me", replace)
    confirm_holders(row.grant)
    assert now_is(row) == ("active", None)
    bank.server.on("GET", "/me", Answer(401))
    ask_again()
    assert now_is(row) == ("revoked", "grant_revoked")


def test_one_that_is_over_is_asked_about_no_more(row: Connection, bank: Bank) -> None:
    bank.server.on("GET", "/me", Answer(503))
    confirm_holders(row.grant)
    Connection.objects.filter(pk=row.pk).update(status="expired")
    ask_again()
    assert len(bank.server.requests_to("/me")) == 1
    assert not OpenQuestion.objects.exists()


@pytest.mark.parametrize("step", [1, -1])
def test_all_note_them_in_one_order(
    owner: User, bank: Bank, use_catalogue: UseCatalogue, step: int
) -> None:
    """Whoever held the grant first: two that see other holders would wait for each other."""
    use_catalogue(bank.catalogue() + Gallery(bank.server).catalogue(), "bank", "gallery")
    grant = Grant("bank.example", "client", "giver")
    rows = [connection_of(owner), account_of(owner.own_team)][::step]
    GrantHold.objects.all().delete()
    for row in rows:
        add_holder(grant, app=row.app, connection_id=row.pk)
    assert [row.app for (row,) in live_holders(grant)] == ["providers", "social"]
