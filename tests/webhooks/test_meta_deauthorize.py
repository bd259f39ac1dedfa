"""`POST /api/v1/webhooks/meta/deauthorize`: a user removed our app at Meta."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold, RevocationJob
from tests.support.disconnects import disconnect_one
from tests.support.meta_webhooks import PATH, send
from tests.support.provider_rows import events
from tests.support.sql_statements import counted
from tests.support.webhook_signing import base64url, signed_request
from tests.webhooks.conftest import connected, is_live

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _meta(sent_by: Any) -> None:
    sent_by("meta")


def test_the_connections_of_all_three_apps_end(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    answer = send(anonymous, signed_request())

    assert answer.status_code == 200
    assert not any(is_live(row) for row in rows.values())
    statuses = {app: row.status for app, row in rows.items()}
    assert statuses == {"providers": "revoked", "channels": "error", "social": "disconnected"}
    assert not GrantHold.objects.exists()


def test_the_platform_is_audited_as_the_actor(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    send(anonymous, signed_request())

    recorded = events("connection_deauthorized")
    assert {event.subject_id for event in recorded} == {row.pk for row in rows.values()}
    assert {(event.actor_type, event.interface) for event in recorded} == {("platform", "webhook")}


def test_nothing_is_revoked_that_is_dead_already(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    send(anonymous, signed_request())

    assert not RevocationJob.objects.exists()


def test_a_disconnected_accounts_tokens_are_erased(anonymous: APIClient, owner: User) -> None:
    row: Any = connected("social", owner)
    disconnect_one(row)
    row.refresh_from_db()
    ended_at = row.disconnected_at

    send(anonymous, signed_request())

    row.refresh_from_db()
    assert row.auth_state is None
    assert row.disconnected_at == ended_at


def test_nobody_else_is_touched(anonymous: APIClient, owner: User) -> None:
    other = connected("providers", owner, person="10158000000000043")

    assert send(anonymous, signed_request()).status_code == 200
    assert is_live(other)


def test_a_user_id_may_be_a_number(anonymous: APIClient, owner: User) -> None:
    row = connected("providers", owner, person="42")

    send(anonymous, signed_request(user_id=42))

    assert not is_live(row)


@pytest.mark.parametrize("user_id", ["nobody we know", "0", 0, None, "", "\x00", {"a": 1}])
def test_an_unknown_user_is_acknowledged(
    anonymous: APIClient, rows: dict[str, OAuthConnection], user_id: Any
) -> None:
    assert send(anonymous, signed_request(user_id=user_id)).status_code == 200
    assert all(is_live(row) for row in rows.values())


def test_a_repeated_notice_is_only_acknowledged(anonymous: APIClient, owner: User) -> None:
    text = signed_request()
    send(anonymous, text)
    row = connected("providers", owner)

    assert send(anonymous, text).status_code == 200
    assert is_live(row)


def test_an_old_notice_never_ends_a_newer_connection(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    answer = send(anonymous, signed_request(issued_at=int(time.time()) - 60))

    assert answer.status_code == 200
    assert all(is_live(row) for row in rows.values())
    assert not AuditEvent.objects.exists()


def test_a_notice_of_the_second_of_connecting_counts(anonymous: APIClient, owner: User) -> None:
    now = timezone.now().replace(microsecond=999_000)
    row = connected("providers", owner, now=now)

    send(anonymous, signed_request(issued_at=int(now.timestamp())))

    assert not is_live(row)


FORGED = {
    "with another secret": lambda: signed_request("another secret"),
    "of a changed payload": lambda: (
        signed_request().partition(".")[0] + "." + signed_request(user_id="x").partition(".")[2]
    ),
    "without a signature": lambda: "." + signed_request().partition(".")[2],
    "with half a signature": lambda: signed_request()[10:],
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_one_is_refused(
    anonymous: APIClient, rows: dict[str, OAuthConnection], forged: Any
) -> None:
    answer = send(anonymous, forged())

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert all(is_live(row) for row in rows.values())


@pytest.mark.parametrize("age", [timedelta(days=7, minutes=1), -timedelta(minutes=6)])
def test_stale_and_future_ones_are_refused(
    anonymous: APIClient, rows: dict[str, OAuthConnection], age: timedelta
) -> None:
    issued_at = int((timezone.now() - age).timestamp())

    assert send(anonymous, signed_request(issued_at=issued_at)).status_code == 400


def test_one_that_is_three_days_late_is_taken(anonymous: APIClient, owner: User) -> None:
    row = connected("providers", owner, now=timezone.now() - timedelta(days=5))
    issued_at = int((timezone.now() - timedelta(days=3)).timestamp())

    assert send(anonymous, signed_request(issued_at=issued_at)).status_code == 200
    assert not is_live(row)


@pytest.mark.parametrize(
    "text", ["", ".", "a.b", "%00.%00", "%FF%FE", base64url(b"[]") * 2, "a." + "%E2%82%AC"]
)
def test_a_malformed_one_is_refused(anonymous: APIClient, text: str) -> None:
    assert send(anonymous, text).status_code == 400


@pytest.mark.parametrize("claims", [{"algorithm": "none"}, {"issued_at": "x"}, {"issued_at": None}])
def test_signed_nonsense_is_refused(
    anonymous: APIClient, rows: dict[str, OAuthConnection], claims: dict[str, Any]
) -> None:
    assert send(anonymous, signed_request(**claims)).status_code == 400
    assert all(is_live(row) for row in rows.values())


def test_a_megabyte_is_read_and_more_is_refused(anonymous: APIClient) -> None:
    assert send(anonymous, "a" * (1024 * 1024 - 15)).status_code == 400
    assert send(anonymous, "a" * (1024 * 1024)).status_code == 413


def test_it_is_a_post(anonymous: APIClient) -> None:
    assert anonymous.get(PATH).status_code == 405


def test_another_clients_connections_are_untouched(anonymous: APIClient, owner: User) -> None:
    row = connected("providers", owner)
    row.client_id = "another app"
    row.save()

    send(anonymous, signed_request())

    assert is_live(row)


def test_all_connections_of_a_person_are_ended(anonymous: APIClient, owner: User) -> None:
    for number in range(3):
        connected("providers", owner, account=f"account {number}")

    send(anonymous, signed_request())

    assert len(events("connection_deauthorized")) == 3


def test_statements_do_not_grow_with_the_connections(anonymous: APIClient, owner: User) -> None:
    counts = []
    for size in (1, 30):
        rows = [connected("social", owner, account=f"{size}-{n}") for n in range(size)]
        # A notice that is repeated would do nothing.
        with counted() as statements:
            assert send(anonymous, signed_request(salt=size)).status_code == 200
        assert not any(is_live(row) for row in rows)
        counts.append(len(statements))
    assert counts[0] == counts[1]
