"""A user goes: shut out at once, disconnected everywhere, forgotten where that is asked for."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from audit.arguments import find_person
from audit.models import AuditEvent
from audit.record import Origin
from channels.models import ChannelConnection, PublishEvent, Schedule
from connections_project.connections.errors import ConnectionNotFoundError
from connections_project.connections.forget import forget_people
from connections_project.connections.models import OAuthConnection
from connections_project.identity import sessions
from connections_project.identity.keys import create_key
from connections_project.identity.models import Authenticator, Team, User
from connections_project.identity.origins import command_origin
from connections_project.identity.second_factor import enrol
from connections_project.operations import offboarding
from connections_project.operations.offboarding_plan import offboarding_plan
from connections_project.operations.options import Failure, InvalidReasonError, Result
from providers.models import Connection
from providers.update import rename_own
from social.models import SocialAccount
from tests.conftest import PASSWORD, SignIn
from tests.operations.conftest import account_of_user
from tests.support.bank import Bank, call_back, start
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of, events
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db

WHY = "left the company"
MODELS: tuple[type[OAuthConnection], ...] = (Connection, ChannelConnection, SocialAccount)


@pytest.fixture
def rows(owner: User, platforms: Bank) -> list[OAuthConnection]:
    """One connection of the owner's in each app, and something that is to be published."""
    channel = channel_of(owner, account_id="c")
    schedule_of(channel)
    return [connection_of(owner, account_id="p"), channel, account_of_user(owner, account_id="s")]


def still_connected() -> int:
    return sum(model._default_manager.filter(disconnected_at=None).count() for model in MODELS)


def test_deactivating_disconnects_all_of_ones_own(
    owner: User, rows: list[OAuthConnection], origin: Origin, outsider: User
) -> None:
    others = connection_of(outsider, account_id="x")
    result = offboarding.deactivate(owner, reason=WHY, origin=origin, details={"os_user": "ops"})
    assert (result.disconnected, result.failures) == (3, ())
    for row in rows:
        row.refresh_from_db()
        assert row.disconnected_at is not None
    others.refresh_from_db()
    assert others.status == "active"
    assert not User.objects.get(pk=owner.pk).is_active
    assert not owner.is_active


def test_what_was_scheduled_is_cancelled(
    owner: User, rows: list[OAuthConnection], origin: Origin
) -> None:
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    channel = ChannelConnection.objects.get(user=owner)
    assert not channel.schedules.active().exists()


def test_user_and_connections_are_audited_with_reason(
    owner: User, rows: list[OAuthConnection], origin: Origin, operator: User
) -> None:
    offboarding.deactivate(owner, reason=WHY, origin=origin, details={"os_user": "ops"})
    (event,) = events("user_deactivated")
    assert (event.subject_id, event.actor_id, event.reason) == (owner.pk, operator.pk, WHY)
    assert event.details == {"os_user": "ops"}
    forced = events("connection_force_disconnected")
    assert {one.subject_id for one in forced} == {row.pk for row in rows}
    assert {(one.reason, one.actor_id) for one in forced} == {(WHY, operator.pk)}


def test_it_may_be_repeated(owner: User, rows: list[OAuthConnection], origin: Origin) -> None:
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    again = offboarding.deactivate(owner, reason=WHY, origin=origin)
    assert again.processed == 0
    assert len(events("user_deactivated")) == 1


def test_repeating_completes_an_interrupted_one(
    owner: User, rows: list[OAuthConnection], origin: Origin
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        offboarding.deactivate(owner, reason=WHY, origin=origin, on_batch=interrupt)
    assert not User.objects.get(pk=owner.pk).is_active
    assert still_connected() == 2
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    assert still_connected() == 0


def test_the_users_tokens_stop_working(
    owner: User, api: APIClient, anonymous: APIClient, origin: Origin
) -> None:
    refresh_token = sessions.begin(owner).refresh_token
    assert api.get("/api/v1/providers").status_code == 200
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    assert api.get("/api/v1/providers").status_code == 401
    body = {"refresh_token": refresh_token}
    assert anonymous.post("/api/v1/auth/refresh", body, format="json").status_code == 401
    offboarding.reactivate(owner, reason="back again", origin=origin)
    # An old session does not come back with the user.
    assert anonymous.post("/api/v1/auth/refresh", body, format="json").status_code == 401


def test_a_connection_in_progress_is_not_made(
    owner: User, api: APIClient, anonymous: APIClient, bank: Bank, origin: Origin
) -> None:
    state = start(api)
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    assert call_back(anonymous, state).status_code == 400
    assert not Connection.objects.filter(user=owner, disconnected_at=None).exists()


def test_a_teams_accounts_stay_to_its_last_member(
    owner: User, teammate: User, platforms: Bank, origin: Origin
) -> None:
    account = account_of_user(owner)
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    account.refresh_from_db()
    assert account.is_active
    offboarding.deactivate(teammate, reason=WHY, origin=origin)
    account.refresh_from_db()
    assert not account.is_active
    # As after any disconnect: kept, unused, for as long as the operator has set.
    assert account.auth_state is not None


def test_a_preview_shows_what_goes_and_stays(
    owner: User, outsider: User, rows: list[OAuthConnection]
) -> None:
    shared = Team.objects.create(name="Press")
    for user in (owner, outsider):
        shared.memberships.create(user=user)
    account_of(shared, account_id="press")
    seen = offboarding_plan(owner)
    assert {app: radius.connections for app, radius in seen.leaving.items()} == {
        "providers": 1,
        "channels": 1,
        "social": 1,
    }
    assert (seen.connections, seen.staying) == (3, 1)
    assert seen.leaving["channels"].active_schedules == 1
    assert seen.leaving["social"].revocations == 0
    assert offboarding_plan(owner, forget=True).leaving["social"].revocations == 1
    assert still_connected() == 4


def test_own_keys_end_and_others_are_listed(
    owner: User, outsider: User, platforms: Bank, origin: Origin
) -> None:
    shared = Team.objects.create(name="Press")
    for user in (owner, outsider):
        shared.memberships.create(user=user)
    mine = create_key(team=shared, scopes=["social:read"], origin=origin, created_by=owner).key
    alone = create_key(team=owner.own_team, scopes=["social:read"], origin=origin).key
    create_key(team=shared, scopes=["social:read"], origin=origin, created_by=outsider)
    revoked = create_key(team=shared, scopes=["social:read"], origin=origin, created_by=owner).key
    revoked.revoked_at = revoked.created_at
    revoked.save()
    plan = offboarding_plan(owner)
    assert (plan.ending_keys, plan.keys) == ((alone,), (mine,))
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    plan = offboarding_plan(owner)
    assert (plan.ending_keys, plan.keys) == ((), (mine,))
    mine.refresh_from_db()
    alone.refresh_from_db()
    assert mine.revoked_at is None
    assert alone.revoked_at is not None
    assert AuditEvent.objects.get(action="api_key_revoked").reason == WHY


def test_an_own_team_without_its_owner_ends_too(
    owner: User, platforms: Bank, origin: Origin
) -> None:
    """Somebody has taken the owner out on the team's page."""
    account = account_of_user(owner)
    key = create_key(team=owner.own_team, scopes=["social:read"], origin=origin).key
    owner.own_team.memberships.all().delete()
    offboarding.forget(owner, reason=WHY, origin=origin)
    account.refresh_from_db()
    key.refresh_from_db()
    assert (account.status, account.auth_state) == ("disconnected", None)
    assert key.revoked_at is not None


def test_an_own_team_that_only_others_are_in_is_theirs(
    owner: User, teammate: User, platforms: Bank, origin: Origin
) -> None:
    account = account_of_user(owner)
    owner.own_team.memberships.filter(user=owner).delete()
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    account.refresh_from_db()
    assert account.is_active


def test_keys_of_an_own_team_with_others_stay(
    owner: User, teammate: User, platforms: Bank, origin: Origin
) -> None:
    shared = create_key(team=owner.own_team, scopes=["social:read"], origin=origin).key
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    shared.refresh_from_db()
    assert shared.revoked_at is None


@pytest.mark.parametrize("reason", ["", "  ", "x" * 513, "a\x00b"])
def test_without_a_good_reason_nothing_is_done(
    reason: str, owner: User, rows: list[OAuthConnection], origin: Origin
) -> None:
    for verb in (offboarding.deactivate, offboarding.forget, offboarding.reactivate):
        with pytest.raises(InvalidReasonError):
            verb(owner, reason=reason, origin=origin)
    assert User.objects.get(pk=owner.pk).is_active
    assert still_connected() == 3


def test_a_returning_user_finds_all_disconnected(
    owner: User, rows: list[OAuthConnection], origin: Origin, sign_in: SignIn
) -> None:
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    offboarding.reactivate(owner, reason="a mistake", origin=origin)
    offboarding.reactivate(owner, reason="a mistake", origin=origin)
    assert len(events("user_reactivated")) == 1
    (connection,) = sign_in(owner).get("/api/v1/providers").json()["connections"]
    assert connection["status"] == "disconnected"


def test_forgetting_leaves_nothing_that_names_them(
    owner: User, rows: list[OAuthConnection], origin: Origin, anonymous: APIClient
) -> None:
    address = owner.email
    Connection.objects.update(alias="of my own", granting_user_id="kim at the bank")
    offboarding.forget(owner, reason="Art. 17", origin=origin)
    kept = User.objects.get(pk=owner.pk)
    assert kept.email == f"{owner.pk}@deleted.invalid"
    assert not kept.is_active
    assert not kept.has_usable_password()
    assert kept.own_team.name == kept.email
    for row in rows:
        row.refresh_from_db()
        assert (row.platform_account_name, row.auth_state) == ("", None)
        assert row.platform_account_id in (None, f"erased:{row.pk}")
        assert row.granting_user_id is None
    assert Connection.objects.get().alias is None
    (event,) = events("user_forgotten")
    assert (event.subject_id, event.reason) == (owner.pk, "Art. 17")
    recorded = AuditEvent.objects.filter(action__startswith="user_").values_list(
        "reason", "details"
    )
    assert address not in str(list(recorded))
    credentials = {"email": address, "password": PASSWORD}
    assert anonymous.post("/api/v1/auth/login", credentials, format="json").status_code == 401
    # The address is free for somebody new, who gets nothing of the old one's.
    assert User.objects.create_user(address, PASSWORD).pk != owner.pk


def test_forgetting_erases_what_was_to_be_posted(
    owner: User, rows: list[OAuthConnection], origin: Origin, outsider: User
) -> None:
    others = schedule_of(channel_of(outsider, account_id="x"))
    for one in (others, Schedule.objects.get(channel_connection__user=owner)):
        published_before(one)
    offboarding.forget(owner, reason="Art. 17", origin=origin)
    left = Schedule.objects.get(channel_connection__user=owner)
    assert (left.status, left.content, left.image_url, left.options) == ("cancelled", "", None, {})
    assert Schedule.objects.get(pk=others.pk).content == others.content != ""
    ids = PublishEvent.objects.values_list("channel_connection__user", "platform_post_id")
    assert dict(ids) == {owner.pk: None, outsider.pk: "p-1"}


def published_before(schedule: Schedule) -> None:
    PublishEvent.objects.create(
        channel_connection=schedule.channel_connection,
        outcome="published",
        platform_post_id="p-1",
        post_url="https://chirp.example/@ada/p-1",
        occurred_at=timezone.now(),
    )


def test_who_is_gone_renames_nothing(
    owner: User, rows: list[OAuthConnection], origin: Origin
) -> None:
    """Whose call was let in just before."""
    let_in = User.objects.get(pk=owner.pk)
    offboarding.forget(owner, reason="Art. 17", origin=origin)
    with pytest.raises(ConnectionNotFoundError):
        rename_own(connection_id=rows[0].pk, user=let_in, alias="mine", origin=origin)
    assert Connection.objects.get().alias is None


def test_who_only_leaves_keeps_what_names_the_account(
    owner: User, rows: list[OAuthConnection], origin: Origin
) -> None:
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    left = [row for model in MODELS for row in model._default_manager.all()]
    assert {row.platform_account_id for row in left} == {"p", "c", "s"}
    assert Schedule.objects.get().content


def test_forgetting_takes_no_more_statements_for_more_rows(
    owner: User, platforms: Bank, origin: Origin
) -> None:
    def cost(ids: range) -> int:
        for number in ids:
            account_of_user(owner, account_id=str(number))
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            forget_people(SocialAccount.objects.all())
        return len(captured)

    assert cost(range(2)) == cost(range(2, 20))


def test_forgetting_erases_even_kept_tokens(
    owner: User, rows: list[OAuthConnection], origin: Origin
) -> None:
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    assert SocialAccount.objects.get(team=owner.own_team).auth_state is not None
    offboarding.forget(owner, reason="Art. 17", origin=origin)
    assert SocialAccount.objects.get(team=owner.own_team).auth_state is None


def test_a_forgotten_operator_has_no_power_left(origin: Origin) -> None:
    gone = User.objects.create_superuser("gone@example.com", PASSWORD)
    enrol(gone)
    offboarding.forget(gone, reason=WHY, origin=origin)
    gone.refresh_from_db()
    assert (gone.is_staff, gone.is_superuser) == (False, False)
    assert not Authenticator.objects.filter(user=gone).exists()


def test_who_was_forgotten_does_not_come_back(owner: User, origin: Origin) -> None:
    offboarding.forget(owner, reason=WHY, origin=origin)
    offboarding.forget(owner, reason=WHY, origin=origin)
    assert len(events("user_forgotten")) == 1
    with pytest.raises(offboarding.ForgottenError):
        offboarding.reactivate(owner, reason="a mistake", origin=origin)


def test_a_failed_disconnect_prevents_forgetting(
    owner: User, rows: list[OAuthConnection], origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Failure(rows[0].pk, "database_refused", "The database refuses the change.")
    monkeypatch.setattr(
        offboarding, "force_disconnect", lambda *_, **__: Result(failures=(failure,))
    )
    result = offboarding.forget(owner, reason=WHY, origin=origin)
    assert failure in result.failures
    assert find_person(owner.email) == owner


def test_a_service_account_goes_the_same_way(service_account: User, platforms: Bank) -> None:
    row = connection_of(service_account)
    offboarding.deactivate(service_account, reason=WHY, origin=command_origin(None))
    row.refresh_from_db()
    assert row.status == "disconnected"


def test_people_are_found_by_address_and_by_id(owner: User) -> None:
    assert find_person(" Owner@Example.com ") == owner
    assert find_person(str(owner.pk).upper()) == owner
    assert find_person("nobody@example.com") is None
