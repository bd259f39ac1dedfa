"""After a restore: what platforms had ended is ended again, and nothing is revoked there."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import Action, ActorType, Interface
from audit.record import Origin
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.connections.records import record_about
from connections_project.connections.refresh import mark_dead_unless_changed, refresh
from connections_project.events.models import OutgoingEvent
from connections_project.identity.models import User
from connections_project.oauth.errors import DeadGrant
from connections_project.revocation.models import GrantHold, RevocationJob
from tests.events.conftest import reader
from tests.operations.test_replay_disconnects import (
    ORIGIN,
    REPLAYED,
    WHY,
    Export,
    Row,
    disconnect_by_their_owner,
    export,
    refused,
    replay,
    restore,
    rows,
)
from tests.operations.test_replay_disconnects import state as columns
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import events

__all__ = ["export", "reader", "restore", "rows"]

pytestmark = pytest.mark.django_db(transaction=True)

PLATFORM = Origin(ActorType.PLATFORM, None, Interface.WEBHOOK)


def state(row: Row) -> dict[str, Any]:
    """Return every column but the times of its end."""
    return {name: value for name, value in columns(row).items() if name != "attention_since"}


def ended_by_platform(rows: list[Row], *, forget: bool = False) -> None:
    for row in rows:
        with transaction.atomic():
            locked = list(type(row)._default_manager.select_for_update().filter(pk=row.pk))
            mark_deauthorized(locked, origin=PLATFORM, sender="meta", forget_person=forget)


@pytest.mark.parametrize("forget", [False, True])
def test_it_ends_as_the_platform_had_ended_it(
    rows: list[Row], restore: Callable[[], None], export: Export, forget: bool
) -> None:
    ended_by_platform(rows, forget=forget)
    ended, path = [state(row) for row in rows], export()
    assert [one["status"] for one in ended] == ["revoked", "error", "disconnected"]
    restore()
    assert replay(path, dry_run=True)["disconnected"] == 3
    summary = replay(path)
    assert (summary["recorded"], summary["disconnected"], summary["failures"]) == (3, 3, [])
    assert [state(row) for row in rows] == ended
    assert not RevocationJob.objects.exists()
    assert not GrantHold.objects.exists()
    assert len(events(REPLAYED)) == 3
    again = events("connection_deauthorized")[-1]
    assert (again.actor_type, again.reason) == ("operator", WHY)
    assert again.details["profile_erased"] is forget
    summary = replay(path)
    assert (summary["disconnected"], summary["already_over"]) == (0, 3)


@pytest.mark.parametrize("first", ["owner", "platform"])
def test_one_that_its_owner_had_disconnected_too(
    rows: list[Row], restore: Callable[[], None], export: Export, first: str
) -> None:
    if first == "owner":
        disconnect_by_their_owner(rows, ORIGIN)
        ended_by_platform(rows, forget=True)
    else:
        ended_by_platform(rows, forget=True)
        disconnect_by_their_owner(rows[:2], ORIGIN)
    ended, path = [state(row) for row in rows], export()
    restore()
    assert replay(path)["disconnected"] == 3
    assert [state(row) for row in rows] == ended
    assert {one["status"] for one in ended} == {"disconnected"}
    assert not RevocationJob.objects.exists()


def test_a_profile_of_one_that_was_over_in_the_backup(
    rows: list[Row], export: Export, owner: User
) -> None:
    row = rows[0]
    disconnect_by_their_owner([row], ORIGIN)
    backup = type(row)._default_manager.get(pk=row.pk)
    ended_by_platform([row], forget=True)
    ended, path = state(row), export()
    backup.save()
    assert replay(path)["disconnected"] == 1
    assert state(row) == ended


def test_one_that_was_connected_anew_stays(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    ended_by_platform(rows[:1], forget=True)
    with transaction.atomic():
        record_about(rows[0], Action.PROVIDER_CONNECTED, origin=ORIGIN)
    path = export()
    restore()
    before = state(rows[0])
    assert replay(path)["connected_anew"] == [str(rows[0].pk)]
    assert state(rows[0]) == before


def test_a_notice_before_a_fresh_grant_erases_nothing_of_that(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    backup = [type(rows[0])._default_manager.get(pk=rows[0].pk)]
    ended_by_platform(rows[:1], forget=True)
    with transaction.atomic():
        record_about(rows[0], Action.PROVIDER_CONNECTED, origin=ORIGIN)
    backup[0].save()
    disconnect_by_their_owner(backup, ORIGIN)
    ended, path = state(rows[0]), export()
    restore()
    assert replay(path)["revocations"] == 1
    assert state(rows[0]) == ended
    assert ended["platform_account_name"]


def test_one_of_an_app_that_is_gone_is_named(
    rows: list[Row], restore: Callable[[], None], export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(type(rows[0]), "app", "a bygone app")
        with transaction.atomic():
            record_about(rows[0], Action.CONNECTION_DEAUTHORIZED, origin=PLATFORM)
    assert refused(export()).returncode == 1


def test_the_host_application_is_told_that_it_is_a_replay(
    rows: list[Row], restore: Callable[[], None], export: Export, reader: APIClient
) -> None:
    ended_by_platform(rows[2:])
    path = export()
    restore()
    replay(path)
    told = OutgoingEvent.objects.filter(type="connection.disconnected").order_by("id")
    assert [json.loads(one.data)["reason"] for one in told] == ["platform", "replay"]


@pytest.mark.parametrize("becomes", ["expired", "revoked"])
def test_one_whose_grant_the_platform_refused(
    rows: list[Row], restore: Callable[[], None], export: Export, becomes: str
) -> None:
    error = DeadGrant(platform="", status=400, becomes=becomes)
    for row in rows:
        assert mark_dead_unless_changed(row, error, origin=PLATFORM)
    ended, path = [state(row) for row in rows], export()
    restore()
    assert replay(path)["disconnected"] == 3
    assert [state(row) for row in rows] == ended
    assert all(one["auth_state"] for one in ended)
    assert not GrantHold.objects.exists()
    assert not RevocationJob.objects.exists()
    assert replay(path)["already_over"] == 3


def test_one_that_was_refused_and_refreshed_since_is_no_ending(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    error = DeadGrant(platform="bank", status=400, becomes="expired")
    assert mark_dead_unless_changed(rows[0], error, origin=PLATFORM)
    with transaction.atomic():
        record_about(rows[0], Action.PROVIDER_TOKEN_REFRESHED, origin=ORIGIN)
    path = export()
    restore()
    assert replay(path)["recorded"] == 0


def test_a_refusal_of_tokens_that_were_replaced_meanwhile_is_no_ending(
    rows: list[Row], export: Export, platforms: Bank
) -> None:
    row = rows[0]

    def connected_anew(_: object) -> Answer:
        fresh = type(row)._default_manager.get(pk=row.pk)
        fresh.changed(now=timezone.now())
        fresh.save()
        return Answer(400, json={"error": "invalid_grant"})

    platforms.server.on("POST", "/token", connected_anew)
    assert refresh(row, force=True, origin=ORIGIN)[0].status == "active"
    failed = events("provider_token_refresh_failed")[-1]
    assert (failed.details["error"], failed.details["becomes"]) == ("dead_grant", "unchanged")
    assert replay(export())["recorded"] == 0
    row.refresh_from_db()
    assert row.status == "active"
