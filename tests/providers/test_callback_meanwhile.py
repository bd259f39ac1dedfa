"""What happens while the platform is asked: no transaction is open, and a disconnect wins."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold
from providers.disconnect import disconnect_own
from providers.models import Connection, Status
from tests.conftest import SignIn, UseCatalogue
from tests.support.bank import Bank, call_back, connect, start
from tests.support.platform_server import Answer, Request
from tests.support.provider_connecting import PROVIDERS, events, problem

pytestmark = pytest.mark.django_db(transaction=True)

GRANT = 'blast_radius = "grant"'


def during(bank: Bank, path: str, answer: Callable[[], Answer], then: Callable[[], object]) -> None:
    """Have something happen while the platform is asked, as another process would do it."""

    def script(_: Request) -> Answer:
        try:
            then()
        finally:
            connection.close()
        return answer()

    bank.server.on("POST" if path == "/token" else "GET", path, script)


def disconnect(owner: User) -> None:
    row = Connection.objects.get(user=owner, disconnected_at=None)
    origin = Origin(ActorType.USER, owner.pk, Interface.API)
    disconnect_own(connection_id=row.pk, user=owner, origin=origin)


def sign_out_everywhere(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(sessions_ended_at=timezone.now())


def test_a_pending_row_is_visible_in_the_exchange(api: APIClient, bank: Bank) -> None:
    seen: list[Any] = []
    # Another connection to the database sees it: so it is committed, and no lock is held on it.
    during(bank, "/token", bank.tokens, lambda: seen.extend(Connection.objects.values()))
    call_back(api, start(api, alias="Mine"))
    (row,) = seen
    assert (row["status"], row["alias"], row["auth_state"]) == ("pending", "Mine", None)
    assert Connection.objects.get().status == Status.ACTIVE


def test_a_pending_row_is_shown_as_such(api: APIClient, bank: Bank) -> None:
    seen: list[Any] = []
    during(bank, "/me", bank.identity, lambda: seen.append(api.get(PROVIDERS).json()))
    call_back(api, start(api))
    (shown,) = seen[0]["connections"]
    assert (shown["status"], shown["is_connected"], shown["connected_at"]) == (
        "pending", False, None,
    )  # fmt: skip
    assert (seen[0]["total_count"], seen[0]["active_count"]) == (1, 0)


@pytest.mark.parametrize("path", ["/token", "/me"])
def test_disconnecting_the_pending_row_wins(
    api: APIClient, owner: User, bank: Bank, path: str
) -> None:
    answer = bank.tokens if path == "/token" else bank.identity
    during(bank, path, answer, lambda: disconnect(owner))
    assert problem(call_back(api, start(api))) == (400, "invalid_state")
    row = Connection.objects.get()
    assert (row.status, row.auth_state) == (Status.DISCONNECTED, None)
    assert bank.revoked == ["refresh-1", "access-1"]
    assert not GrantHold.objects.exists()
    assert [event.action for event in events()] == [
        "provider_disconnected", "provider_connection_failed", "token_revoked",
    ]  # fmt: skip


def test_a_disconnect_wins_over_a_reauthorisation(api: APIClient, owner: User, bank: Bank) -> None:
    row = connect(api)
    during(bank, "/token", bank.tokens, lambda: disconnect(owner))
    answer = call_back(api, start(api, connection_id=str(row.pk)))
    assert problem(answer) == (400, "invalid_state")
    row.refresh_from_db()
    assert (row.status, row.auth_state) == (Status.DISCONNECTED, None)
    assert sorted(bank.revoked) == ["access-1", "access-2", "refresh-1", "refresh-2"]


def test_a_disconnect_stays_after_a_failed_exchange(
    api: APIClient, owner: User, bank: Bank
) -> None:
    during(bank, "/token", lambda: Answer(500), lambda: disconnect(owner))
    assert call_back(api, start(api)).status_code == 502
    assert Connection.objects.get().status == Status.DISCONNECTED


def test_late_tokens_of_a_shared_grant_are_kept(
    api: APIClient, owner: User, bank: Bank, use_catalogue: UseCatalogue, unlimited: None
) -> None:
    use_catalogue(bank.catalogue(revocation=GRANT), "bank")
    living = connect(api)

    def disconnect_the_pending_one() -> None:
        pending = Connection.objects.get(status=Status.PENDING)
        origin = Origin(ActorType.USER, owner.pk, Interface.API)
        disconnect_own(connection_id=pending.pk, user=owner, origin=origin)

    during(bank, "/token", bank.tokens, disconnect_the_pending_one)
    assert problem(call_back(api, start(api))) == (400, "invalid_state")
    assert bank.revoked == []
    failed = events("provider_connection_failed")[-1]
    assert failed.details["revocation"] == "shared_grant"
    living.refresh_from_db()
    assert living.status == Status.ACTIVE


def test_late_tokens_leave_the_refresh_token_that_a_living_row_has(
    api: APIClient, owner: User, bank: Bank
) -> None:
    living = connect(api)

    def disconnect_the_pending_one() -> None:
        pending = Connection.objects.get(status=Status.PENDING)
        origin = Origin(ActorType.USER, owner.pk, Interface.API)
        disconnect_own(connection_id=pending.pk, user=owner, origin=origin)

    same = partial(bank.tokens, refresh_token="refresh-1")
    during(bank, "/token", same, disconnect_the_pending_one)
    assert problem(call_back(api, start(api))) == (400, "invalid_state")
    assert bank.revoked == ["access-2"]
    living.refresh_from_db()
    assert living.opened().refresh_token == "refresh-1"


def lose_the_pending_row() -> None:
    Connection.objects.filter(status=Status.PENDING).delete()


def test_a_known_account_takes_tokens_whose_row_is_gone(api: APIClient, bank: Bank) -> None:
    living = connect(api)
    same = partial(bank.tokens, refresh_token="refresh-1")
    during(bank, "/token", same, lose_the_pending_row)
    answer = call_back(api, start(api))
    assert (answer.status_code, answer.json().get("id")) == (201, str(living.pk))
    stored = Connection.objects.get().opened()
    assert (stored.access_token, stored.refresh_token) == ("access-2", "refresh-1")
    assert bank.revoked == []


@pytest.mark.parametrize("refresh_token", ["refresh-2", None])
def test_other_tokens_whose_row_is_gone_are_revoked(
    api: APIClient, bank: Bank, refresh_token: str | None
) -> None:
    connect(api)
    other = partial(bank.tokens, refresh_token=refresh_token)
    during(bank, "/token", other, lose_the_pending_row)
    assert problem(call_back(api, start(api))) == (400, "invalid_state")
    assert Connection.objects.get().opened().refresh_token == "refresh-1"
    assert bank.revoked == [*filter(None, [refresh_token]), "access-2"]


def test_tokens_whose_row_is_gone_are_not_for_who_left(
    api: APIClient, owner: User, bank: Bank
) -> None:
    connect(api)

    def leave() -> None:
        lose_the_pending_row()
        sign_out_everywhere(owner)

    during(bank, "/token", partial(bank.tokens, refresh_token="refresh-1"), leave)
    assert problem(call_back(api, start(api))) == (400, "invalid_state")
    assert bank.revoked == ["access-2"]


def test_a_deactivated_owner_gets_no_connection(api: APIClient, owner: User, bank: Bank) -> None:
    everyone = User.objects.filter(pk=owner.pk)
    during(bank, "/token", bank.tokens, lambda: everyone.update(is_active=False))
    assert problem(call_back(api, start(api))) == (400, "invalid_state")
    row = Connection.objects.get()
    assert (row.status, row.auth_state) == (Status.FAILED, None)
    assert bank.revoked == ["refresh-1", "access-1"]


@pytest.mark.parametrize("when", ["before the exchange", "during it"])
def test_the_end_of_all_sessions_ends_a_flow(
    api: APIClient, anonymous: APIClient, owner: User, bank: Bank, when: str
) -> None:
    state = start(api)
    if when == "during it":
        during(bank, "/token", bank.tokens, lambda: sign_out_everywhere(owner))
    else:
        sign_out_everywhere(owner)
    assert problem(call_back(anonymous, state)) == (400, "invalid_state")
    assert not Connection.objects.exclude(status=Status.FAILED).exists()
    assert bank.revoked == (["refresh-1", "access-1"] if when == "during it" else [])


def test_a_flow_begun_after_the_end_of_all_sessions_connects(
    owner: User, sign_in: SignIn, bank: Bank
) -> None:
    sign_out_everywhere(owner)
    owner.refresh_from_db()
    assert connect(sign_in(owner)).status == Status.ACTIVE


def test_a_refresh_does_not_spoil_a_reauthorisation(
    api: APIClient, owner: User, bank: Bank
) -> None:
    row = connect(api)
    state = start(api, connection_id=str(row.pk))

    def script(request: Request) -> Answer:
        if request.form["grant_type"] == "authorization_code":
            refreshed = api.post(f"{PROVIDERS}/{row.pk}/token-refreshes", {"force": True}, "json")
            connection.close()
            assert refreshed.status_code == 201
        return bank.tokens()

    bank.server.on("POST", "/token", script)
    assert call_back(api, state).status_code == 201
    row.refresh_from_db()
    # The refresh brought the second pair, which the grant just given replaces.
    assert row.opened().access_token == "access-3"
    assert bank.revoked == ["refresh-2", "access-2"]


def test_a_row_that_was_swept_meanwhile_takes_nothing(
    api: APIClient, bank: Bank, settings: Any
) -> None:
    settings.PENDING_CONNECTION_SECONDS = 0
    during(bank, "/token", bank.tokens, lambda: api.get(PROVIDERS))
    assert problem(call_back(api, start(api))) == (400, "invalid_state")
    assert Connection.objects.get().status == Status.FAILED
    assert bank.revoked == ["refresh-1", "access-1"]
