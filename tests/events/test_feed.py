"""The feed: oldest first, page by page, and never past an event that commits late."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, transaction
from rest_framework.test import APIClient

from audit.events import Action
from audit.record import record
from connections_project.events import audience
from connections_project.events.models import OutgoingEvent
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.platforms.suspend import resume, suspend
from tests.conftest import SignIn
from tests.support.bank import Bank
from tests.support.event_receiver import Receiver
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)
FEED = "/api/v1/events"


def suspend_and_resume(times: int) -> None:
    for _ in range(times):
        suspend(slug="bank", reason="maintenance", origin=command_origin(None))
        resume(slug="bank", origin=command_origin(None))


def test_it_is_read_page_by_page(reader: APIClient, bank: Bank) -> None:
    suspend_and_resume(2)
    read: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while (page := reader.get(FEED, {"limit": "3", **after}).json())["data"]:
        read += page["data"]
        assert page["next"] == page["data"][-1]["id"]
        after = {"after": page["next"]}
    assert [one["type"] for one in read] == ["platform.suspended", "platform.resumed"] * 2
    assert read[0]["data"]["platform"] == "bank"
    assert "connection" not in read[0]["data"]
    assert page["next"] is None


def test_bodies_are_those_of_deliveries(
    reader: APIClient, api: APIClient, owner: User, bank: Bank, receiver: Receiver
) -> None:
    api.delete(f"/api/v1/auth/{connection_of(owner).pk}/disconnect")
    assert reader.get(FEED).json()["data"] == receiver.events


def _to_the_user(user: User, permission: Permission) -> None:
    user.user_permissions.add(permission)


def _by_the_permission(user: User, permission: Permission) -> None:
    permission.user_set.add(user)


def _to_a_group(user: User, permission: Permission) -> None:
    group = Group.objects.create(name="Readers")
    group.permissions.add(permission)
    user.groups.add(group)


@pytest.mark.parametrize("give", [_to_the_user, _by_the_permission, _to_a_group])
def test_a_new_reader_misses_nothing(
    service_account: User, sign_in: SignIn, bank: Bank, give: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 60.0)
    monkeypatch.setattr("time.sleep", waits.append)
    assert not audience.audience()
    give(service_account, Permission.objects.get(codename="read_events"))
    suspend_and_resume(1)
    assert len(sign_in(service_account).get(FEED).json()["data"]) == 2
    # Until then other processes may believe that nobody reads.
    assert waits == [60.0]


def test_types_are_filtered(reader: APIClient, bank: Bank) -> None:
    suspend_and_resume(1)
    page = reader.get(FEED, {"types": "platform.resumed,connection.deleted"}).json()
    assert [one["type"] for one in page["data"]] == ["platform.resumed"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "x"}, "after"),
        ({"after": "01890000-0000-7000-8000-000000000000"}, "after"),
        ({"types": "connection.gone"}, "types"),
        ({"limit": "101"}, "limit"),
        ({"limit": "0"}, "limit"),
    ],
)
def test_a_wrong_query_is_a_400(reader: APIClient, query: dict[str, str], field: str) -> None:
    answer = reader.get(FEED, query)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_others_may_not_read_it(api: APIClient, anonymous: APIClient, owner: User) -> None:
    permission = Permission.objects.get(codename="read_events")
    assert api.get(FEED).status_code == 403
    owner.user_permissions.add(permission)
    assert api.get(FEED).status_code == 403
    assert anonymous.get(FEED).status_code == 401


def test_a_service_account_needs_permission(service_account: User, sign_in: SignIn) -> None:
    assert sign_in(service_account).get(FEED).status_code == 403


def test_the_command_gives_permission(
    db: None, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery staple\n"))
    call_command("create_service_account", "feed@example.com", "--password-stdin", "--read-events")
    assert sign_in(User.objects.get(email="feed@example.com")).get(FEED).status_code == 200


@contextmanager
def late_commit() -> Iterator[threading.Event]:
    """Write an event in a transaction that stays open until it is told to commit."""
    written, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                details = {"platform": "late"}
                record(
                    Action.PLATFORM_SUSPENDED,
                    origin=command_origin(None),
                    subject_type="platform",
                    subject_id=None,
                    subject_owner_id=None,
                    details=details,
                )
                written.set()
                assert may_commit.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(10)
    try:
        yield may_commit
    finally:
        may_commit.set()
        thread.join()


@pytest.mark.races
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_a_late_commit_is_not_skipped(reader: APIClient, bank: Bank) -> None:
    suspend_and_resume(1)
    with late_commit():
        suspend_and_resume(1)
        page = reader.get(FEED).json()
        read = [one["data"]["platform"] for one in page["data"]]
        assert read == ["bank", "bank"]
    rest = reader.get(FEED, {"after": page["next"]}).json()["data"]
    assert [one["data"]["platform"] for one in rest] == ["late", "bank", "bank"]


def test_nobody_listens_nothing_is_written(api: APIClient, owner: User, bank: Bank) -> None:
    api.delete(f"/api/v1/auth/{connection_of(owner).pk}/disconnect")
    assert not OutgoingEvent.objects.exists()
