"""Every type of event, by each way that leads to it."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import Action, ActorType, Interface
from audit.record import Origin
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.connections.disconnect import lock_rows
from connections_project.connections.ending_grants import note_ending_grants
from connections_project.connections.registry import connection_types
from connections_project.events.announce import announced_actions
from connections_project.events.models import OutgoingEvent
from connections_project.events.payload import payload
from connections_project.identity.keys import create_key
from connections_project.identity.models import Scope, User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from connections_project.operations.bulk_jobs import start, store_selection
from connections_project.operations.options import DisconnectOptions
from connections_project.platforms.suspend import resume, suspend
from connections_project.revocation.models import GrantHold, RevocationJob
from connections_project.revocation.operate import give_up
from providers.models import Connection
from providers.sweep import sweep_pending
from social.models import SocialAccount
from social.retention import erase_kept_too_long
from tests.conftest import UseCatalogue
from tests.support import chirp, gallery
from tests.support.bank import Bank
from tests.support.channel_publishing import X, due_schedule, published
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_connecting import begin
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reader", "world")]
Announced = list[tuple[str, str | None]]
REVOKED = ("revocation.succeeded", None)
COMMAND = command_origin(None)


def bodies() -> list[dict[str, Any]]:
    events = list(OutgoingEvent.objects.order_by("sequence"))
    assert len({event.sequence for event in events}) == len(events)
    return [payload(event) for event in events]


def announced() -> Announced:
    """Return types and reasons of all events, in their order."""
    return [(body["type"], body["data"].get("reason")) for body in bodies()]


def ended(reason: str) -> tuple[str, str]:
    return "connection.disconnected", reason


def needs(reason: str) -> tuple[str, str]:
    return "connection.needs_attention", reason


def call_back(api: APIClient, state: str) -> Any:
    return api.post("/api/v1/providers/callback", query_params={"state": state, "code": "c"})


def refresh(api: APIClient, row: Connection) -> int:
    url = f"/api/v1/providers/{row.pk}/token-refreshes"
    return int(api.post(url, {"force": True}, format="json").status_code)


def run(*command: str) -> None:
    call_command(*command, "--reason", "breach", "--yes", stdout=io.StringIO())


class TestConnecting:
    def test_a_provider(self, api: APIClient) -> None:
        assert call_back(api, begin(api).json()["state"]).status_code == 201
        assert call_back(api, begin(api).json()["state"]).status_code == 201
        # What the fresh tokens replace is revoked.
        connected = [("connection.connected", None), ("connection.reconnected", None)]
        assert announced() == [*connected, REVOKED]

    def test_a_provider_in_place(self, api: APIClient, owner: User) -> None:
        row = connection_of(owner, status="expired")
        state = begin(api, connection_id=str(row.pk)).json()["state"]
        assert call_back(api, state).status_code == 201
        assert announced()[0] == ("connection.reconnected", None)

    def test_a_channel(self, api: APIClient) -> None:
        chirp.connect(api)
        assert chirp.call_back(api, chirp.start(api)).status_code == 409
        connected = [("connection.connected", None), ("connection.reconnected", None)]
        assert announced() == [*connected, REVOKED]

    def test_a_channel_whose_grant_was_dead(self, api: APIClient, owner: User) -> None:
        channel_of(owner, status="expired")
        chirp.connect(api)
        assert announced()[:2] == [ended("user"), ("connection.connected", None)]

    def test_a_social_account(self, api: APIClient) -> None:
        for _ in range(2):
            started = api.post(f"{gallery.SOCIAL}/connect", {"platform": "gallery"}, format="json")
            query = {"state": started.json()["state"], "code": "c"}
            done = api.post(f"{gallery.SOCIAL}/callback", query_params=query)
            assert done.status_code == 201
        assert announced() == [("connection.connected", None), ("connection.reconnected", None)]

    def test_one_that_fails(self, api: APIClient, world: Bank) -> None:
        world.server.on("POST", "/token", Answer(400, json={"error": "invalid_request"}))
        assert call_back(api, begin(api).json()["state"]).status_code == 502
        assert chirp.call_back(api, chirp.start(api)).status_code == 201
        assert announced() == [needs("connect_failed"), ("connection.connected", None)]

    def test_one_that_a_crash_left(self, owner: User) -> None:
        connection_of(owner, status="pending", now=timezone.now() - timedelta(hours=1))
        sweep_pending()
        sweep_pending()
        assert announced() == [needs("connect_failed")]


class TestAttention:
    def test_once_for_each_transition(self, api: APIClient, owner: User, world: Bank) -> None:
        row = connection_of(owner)
        world.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
        assert [refresh(api, row), refresh(api, row)] == [502, 502]
        assert announced() == [needs("grant_expired")]
        world.server.on("POST", "/token", lambda _: world.tokens())
        assert refresh(api, row) == 201
        assert refresh(api, row) == 201
        assert announced() == [needs("grant_expired"), ("connection.recovered", None)]

    def test_a_passing_fault_is_none(self, api: APIClient, owner: User, world: Bank) -> None:
        row = connection_of(owner)
        world.server.on("POST", "/token", Answer(503), Answer(429), Answer(500))
        assert [refresh(api, row) for _ in range(3)] == [502] * 3
        assert announced() == []

    def test_a_refusal_that_stays(self, api: APIClient, owner: User, world: Bank) -> None:
        row = connection_of(owner)
        world.server.on("POST", "/token", Answer(400, json={"error": "invalid_request"}))
        assert [refresh(api, row), refresh(api, row)] == [502, 502]
        assert announced() == [needs("platform_error")]
        row.refresh_from_db()
        assert row.status == "active"

    def test_a_known_end(self, owner: User) -> None:
        row = connection_of(owner)
        ends_at = timezone.now() + timedelta(days=3)
        Connection.objects.update(grant_expires_at=ends_at, ending_notice_at=timezone.now())
        assert [note_ending_grants(), note_ending_grants()] == [1, 0]
        (body,) = bodies()
        assert announced() == [needs("grant_ending")]
        assert body["data"]["ends_at"] == f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"
        row.refresh_from_db()
        assert (row.attention_reason, row.status) == ("grant_ending", "active")

    @pytest.mark.parametrize(("days", "before"), [(60, 7), (6, 3)])
    def test_when_an_end_is_told(
        self, world: Bank, owner: User, days: int, before: int, settings: LazySettings
    ) -> None:
        overlay = Path(settings.CATALOG_FILES[0])
        text = overlay.read_text()
        overlay.write_text(text.replace('name = "Bank"', f'name = "B"\ngrant_lifetime_days={days}'))
        settings.CATALOG_FILES = (overlay,)
        row = connection_of(owner)
        assert row.grant_expires_at is not None
        assert row.ending_notice_at is not None
        assert row.grant_expires_at - row.ending_notice_at == timedelta(days=before)

    def test_a_notice_of_the_platform(self, owner: User) -> None:
        rows = [connection_of(owner), channel_of(owner), account_of(owner.own_team)]
        for row in rows:
            deauthorize(row)
            deauthorize(row)
        assert announced() == [needs("grant_revoked"), needs("grant_revoked"), ended("platform")]


def deauthorize(row: Any) -> None:
    origin = Origin(ActorType.PLATFORM, None, Interface.WEBHOOK)
    with transaction.atomic():
        (locked,) = lock_rows(type(row).objects.filter(pk=row.pk), skip_locked=False)
        mark_deauthorized([locked], origin=origin, sender="meta")


class TestDisconnecting:
    def test_by_the_api(self, api: APIClient, owner: User) -> None:
        one, channel = connection_of(owner), channel_of(owner)
        other = connection_of(owner, account_id="customer-8")
        account = account_of(owner.own_team)
        api.delete(f"/api/v1/auth/{one.pk}/disconnect")
        api.delete(f"/api/v1/providers/{other.pk}")
        api.delete(f"/api/v1/channels/connections/{channel.pk}")
        api.delete(f"{gallery.SOCIAL}/disconnect/{account.pk}")
        assert announced() == [*([ended("user"), REVOKED] * 3), ended("user")]
        assert bodies()[-1]["data"]["connection"]["status"] == "disconnected"
        assert bodies()[-1]["data"]["revocation"] == "not_requested"

    def test_by_a_teams_key(self, owner: User) -> None:
        account = account_of(owner.own_team)
        made = create_key(team=owner.own_team, scopes=Scope.values, origin=COMMAND)
        client = APIClient()
        client.credentials(HTTP_X_API_KEY=made.text, HTTP_X_TEAM_ID=str(owner.own_team.pk))
        assert client.delete(f"{gallery.SOCIAL}/disconnect/{account.pk}").status_code == 200
        assert announced() == [ended("team")]
        assert bodies()[0]["data"]["connection"]["owner"]["team_id"] == str(owner.own_team.pk)

    @pytest.mark.parametrize(
        ("command", "make"),
        [
            ("disconnect_provider", connection_of),
            ("disconnect_channel", channel_of),
            ("disconnect_social", lambda user: account_of(user.own_team)),
        ],
    )
    def test_by_command(self, owner: User, command: str, make: Callable[[User], Any]) -> None:
        row = make(owner)
        run(command, str(row.pk))
        assert announced()[0] == ended("operator")
        assert bodies()[0]["data"]["actor"] == "operator"

    def test_by_a_bulk_job(self, owner: User) -> None:
        operator = User.objects.create_superuser("boss@example.com", "x")
        rows = [connection_of(owner, account_id=f"c-{number}") for number in range(30)]
        job = store_selection(
            "providers", [row.pk for row in rows], origin=command_origin(operator)
        )
        start(job, DisconnectOptions("breach"))
        of_type = [one for one in announced() if one == ended("operator")]
        assert len(of_type) == 30

    def test_by_offboarding(self, owner: User) -> None:
        connection_of(owner), account_of(owner.own_team)
        offboarding.forget(owner, reason="left", origin=COMMAND)
        types = announced()
        assert types.count(ended("offboarding")) == 2
        assert ("connection.erased", None) in types

    def test_by_replay(self, owner: User, tmp_path: Path) -> None:
        row = connection_of(owner)
        backup = Connection.objects.get()
        run("disconnect_provider", str(row.pk))
        path = tmp_path / "audit.jsonl"
        call_command("export_audit_log", output=path, stdout=io.StringIO())
        RevocationJob.objects.all().delete()
        OutgoingEvent.objects.all().delete()
        backup.save()
        GrantHold.objects.all().delete()
        run("replay_disconnects", str(path))
        assert announced()[0] == ended("replay")

    def test_deleting(self, api: APIClient, owner: User) -> None:
        row, channel = connection_of(owner, status="disconnected"), channel_of(owner)
        api.delete(f"/api/v1/providers/{row.pk}")
        api.delete(f"/api/v1/channels/connections/{channel.pk}?soft_delete=true")
        deleted = ("connection.deleted", None)
        assert announced() == [deleted, ended("user"), deleted, REVOKED]

    def test_erasing(self, owner: User, settings: LazySettings) -> None:
        now = account_of(owner.own_team)
        run("disconnect_social", str(now.pk), "--erase-tokens")
        assert announced()[:2] == [ended("operator"), ("connection.erased", None)]
        account_of(owner.own_team, status="disconnected", account_id="8")
        settings.SOCIAL_TOKEN_RETENTION_DAYS = 0
        assert erase_kept_too_long() == 1
        assert announced()[-1] == ("connection.erased", None)
        later = account_of(owner.own_team, status="disconnected", account_id="9")
        deauthorize(SocialAccount.objects.get(pk=later.pk))
        assert announced()[-1] == ("connection.erased", None)


class TestRevoking:
    def test_given_up_by_an_operator(self, api: APIClient, owner: User, world: Bank) -> None:
        world.server.on("POST", "/revoke", lambda _: Answer(503))
        api.delete(f"/api/v1/auth/{connection_of(owner).pk}/disconnect")
        give_up([RevocationJob.objects.get().pk], reason="enough", origin=COMMAND)
        assert announced() == [ended("user"), ("revocation.abandoned", None)]
        assert bodies()[-1]["data"]["revocation"] == "abandoned"

    def test_given_up_for_its_age(
        self, api: APIClient, owner: User, world: Bank, settings: LazySettings
    ) -> None:
        world.server.on("POST", "/revoke", lambda _: Answer(503))
        api.delete(f"/api/v1/auth/{connection_of(owner).pk}/disconnect")
        settings.REVOCATION_GIVE_UP_SECONDS = 0
        call_command("run_background", stdout=io.StringIO())
        assert announced() == [ended("user"), ("revocation.abandoned", None)]

    def test_done_by_run_revocations(self, api: APIClient, owner: User, world: Bank) -> None:
        world.server.on("POST", "/revoke", Answer(503), lambda _: Answer(200))
        api.delete(f"/api/v1/auth/{connection_of(owner).pk}/disconnect")
        RevocationJob.objects.update(due_at=timezone.now())
        call_command("run_revocations", stdout=io.StringIO())
        assert announced() == [ended("user"), REVOKED]


class TestSchedules:
    def test_each_way_to_cancel(self, api: APIClient, owner: User) -> None:
        channel = channel_of(owner)
        made = [schedule_of(channel) for _ in range(5)]
        api.post(f"/api/v1/schedules/{made[0].pk}/cancel")
        many = {"schedule_ids": [str(made[1].pk)]}
        api.post("/api/v1/schedules/bulk-cancel", many, format="json")
        all_of = {"channel_connection_id": str(channel.pk)}
        api.post("/api/v1/schedules/bulk-cancel", all_of, format="json")
        last = schedule_of(channel)
        url = f"/api/v1/channels/connections/{channel.pk}?cancel_schedules=true"
        assert api.delete(url).status_code == 200
        cancelled = [one for one in bodies() if one["type"] == "schedule.cancelled"]
        ids = [one["data"]["schedule"]["id"] for one in cancelled]
        assert sorted(ids) == sorted(str(one.pk) for one in [*made, last])
        assert announced()[-2:] == [ended("user"), REVOKED]

    def test_published(
        self, owner: User, host: PlatformServer, use_catalogue: UseCatalogue
    ) -> None:
        made = chirp.Chirp(host)
        use_catalogue(made.catalogue(more='adapter = "channels.adapters.x"'), "chirp")
        host.on("POST", X, Answer(201, json={"data": {"id": "1"}}))
        schedule = due_schedule(channel_of(owner))
        assert published() == ["published"]
        (body,) = bodies()
        assert (body["type"], body["data"]["schedule"]) == (
            "schedule.published",
            {"id": str(schedule.pk)},
        )

    def test_failed(self, owner: User) -> None:
        # The platform of these tests has no adapter to publish by.
        schedule = due_schedule(channel_of(owner))
        published()
        (body,) = bodies()
        assert (body["type"], body["data"]["schedule"]) == (
            "schedule.failed",
            {"id": str(schedule.pk)},
        )


def test_suspending_and_resuming() -> None:
    suspend(slug="bank", reason="maintenance", origin=COMMAND)
    suspend(slug="bank", reason="again", origin=COMMAND)
    resume(slug="bank", origin=COMMAND)
    assert announced() == [("platform.suspended", None), ("platform.resumed", None)]


# What changes nothing that the host application follows, each with its reason.
NOT_ANNOUNCED = {
    Action.PROVIDER_DATA_SYNCED: "nothing of the connection changes",
    Action.PROVIDER_UPDATED: "an alias is the user's own",
    Action.CHANNEL_RESTORED: "it stays disconnected",
    Action.SCHEDULE_CREATED: "the caller has its answer",
    Action.SCHEDULE_PUT_OFF: "it is tried again",
    Action.ACCOUNT_PUBLISHED: "the caller has its answer",
    Action.TOKEN_REVOCATION_FAILED: "it is tried again",
    Action.EXTRAS_REVOKED: "`revocation` speaks of the grant",
    Action.EXTRAS_REVOCATION_FAILED: "it is tried again",
    Action.EXTRAS_REVOCATION_ABANDONED: "`revocation` speaks of the grant",
    Action.TOKEN_REVOCATION_SKIPPED: "`revocation` of the disconnect says so",
    Action.TOKEN_REVOCATION_RETRIED: "it is tried again",
    Action.CONNECTION_FORCE_DISCONNECTED: "beside the app's own event",
    Action.CONNECTION_DISCONNECT_REPLAYED: "beside the app's own event",
    Action.CONNECT_SESSION_CREATED: "no connection changes",
    Action.CONNECT_SESSION_OPENED: "no connection changes",
    Action.LIST_EXPORTED: "no connection changes",
}
ABOUT_US = ("BREACH", "LOGIN", "OPERATOR", "SECOND", "RECOVERY", "SESSIONS", "USER", "TEAM",
            "GROUP", "API_KEY", "SCIM", "AUDIT", "EVENT")  # fmt: skip


def test_no_audit_action_is_forgotten() -> None:
    known = announced_actions() | {str(action) for action in NOT_ANNOUNCED}
    left = [one for one in Action if str(one) not in known and not one.name.startswith(ABOUT_US)]
    assert left == []
    for one in connection_types():
        named = {one.actions.connected, one.actions.disconnected, *one.actions.failed}
        assert {str(action) for action in named} <= announced_actions()


def test_an_external_owner_is_named(owner: User) -> None:
    row = connection_of(owner)
    known = {"issuer": "https://id.example.com", "subject": "person-7"}
    User.objects.filter(pk=owner.pk).update(**known, email=None)
    run("disconnect_provider", str(row.pk))
    named = bodies()[0]["data"]["connection"]["owner"]
    assert named == {"principal_id": str(owner.pk), **known}
