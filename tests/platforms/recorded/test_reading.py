"""Each recorded financial platform is read to the end of its lists, by the real service."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from providers.models import Account, Connection, Transaction
from providers.readings import MONEY
from tests.platforms.recorded.conftest import ServeRecording
from tests.platforms.recorded.failures import PASSING
from tests.platforms.recorded.platform import RecordedPlatform
from tests.platforms.recorded.recordings import READ
from tests.support.bank import connect
from tests.support.platform_server import Answer
from tests.support.provider_syncing import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=READ)
def recorded(request: pytest.FixtureRequest, serve_recording: ServeRecording) -> RecordedPlatform:
    return serve_recording(READ[request.param])


@pytest.fixture
def row(api: APIClient, recorded: RecordedPlatform) -> Connection:
    return connect(api, recorded.recording.slug)


def status_of(row: Connection) -> str:
    row.refresh_from_db()
    return row.status


def test_connecting_again_is_the_same_connection(
    api: APIClient, recorded: RecordedPlatform, row: Connection
) -> None:
    assert connect(api, recorded.recording.slug).pk == row.pk


def test_all_accounts_are_read(api: APIClient, recorded: RecordedPlatform, row: Connection) -> None:
    synced = sync(api, row.pk).json()
    assert (synced["created"], synced["errors"]) == (len(recorded.recording.accounts), 0)
    accounts = [
        (one.name, one.type, one.currency, None if one.balance is None else plain(one.balance))
        for one in Account.objects.order_by("pk")
    ]
    assert sorted(accounts) == sorted(recorded.recording.accounts)


def test_all_transactions_are_read(
    api: APIClient, recorded: RecordedPlatform, row: Connection
) -> None:
    sync(api, row.pk)
    read = [
        (one.posted_at.isoformat(), plain(one.amount), one.currency, one.description)
        for one in Transaction.objects.order_by("posted_at")
    ]
    assert read == list(recorded.recording.transactions)


def plain(amount: Any) -> str:
    text = str(amount.normalize(MONEY))
    return f"{amount:f}".rstrip("0").rstrip(".") if "E+" in text else text


def test_lists_are_read_to_their_end(
    api: APIClient, recorded: RecordedPlatform, row: Connection
) -> None:
    sync(api, row.pk)
    path, count = recorded.recording.pages or ("", 0)
    assert len(recorded.server.requests_to(path)) == count


def test_the_api_is_asked_as_it_wants(
    api: APIClient, recorded: RecordedPlatform, row: Connection
) -> None:
    sync(api, row.pk)
    for request in recorded.api_requests:
        assert request.headers["Authorization"] == "Bearer access-1"
        headers = recorded.recording.api_headers
        assert {name: request.headers[name] for name in headers} == headers


def test_no_second_sync_changes_what_is_known(
    api: APIClient, recorded: RecordedPlatform, row: Connection
) -> None:
    sync(api, row.pk)
    synced = sync(api, row.pk, force=True).json()
    assert (synced["created"], synced["updated"]) == (0, 0)
    assert Transaction.objects.count() == len(recorded.recording.transactions)


def test_a_dead_token_ends_it(api: APIClient, recorded: RecordedPlatform, row: Connection) -> None:
    for answer, becomes in recorded.recording.dead_token:
        Connection.objects.update(status="active")
        recorded.refuse_reads(answer)
        assert sync(api, row.pk, force=True).status_code == 502
        assert status_of(row) == becomes


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_a_passing_fault_changes_nothing(
    api: APIClient, recorded: RecordedPlatform, row: Connection, failure: Answer
) -> None:
    recorded.refuse_reads(failure)
    assert sync(api, row.pk).status_code == 502
    assert status_of(row) == "active"
    assert not Account.objects.exists()
