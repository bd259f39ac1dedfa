"""`manage.py inspect_connection`: all that may be known of a connection, and no secret."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.record import Origin
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import find_connection
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.operations.force import force_disconnect
from connections_project.operations.inspection import inspect
from connections_project.operations.options import DisconnectOptions
from connections_project.platforms.suspend import suspend
from connections_project.revocation.models import RevocationJob
from tests.operations.conftest import MAKERS, UsePlatforms, account_of_user
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import TOKENS, connection_of

pytestmark = pytest.mark.django_db


def output_of(connection: OAuthConnection, *arguments: str) -> str:
    output = StringIO()
    call_command("inspect_connection", str(connection.pk), *arguments, stdout=output)
    return output.getvalue()


def known(connection: OAuthConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output_of(connection, "--json"))
    assert found == inspect(connection)
    return found


@pytest.mark.parametrize("app", MAKERS)
def test_it_shows_facts_of_a_connection_of_any_app(app: str, owner: User, platforms: Bank) -> None:
    slug, make = MAKERS[app]
    connection = make(owner)
    found = known(connection)
    facts = found["connection"]
    assert (facts["app"], facts["id"]) == (app, str(connection.pk))
    assert facts["holds_credentials"]
    assert facts["platform_account_id"] == "customer-7"
    assert found["platform"]["slug"] == slug
    assert found["platform"]["revocation"] == "rfc7009"
    assert found["receipt"] is None
    assert found["refresh_lease"] is None


@pytest.mark.parametrize("app", MAKERS)
def test_it_never_shows_a_secret(
    app: str, owner: User, platforms: Bank, origin: Origin, settings: Any
) -> None:
    connection = MAKERS[app][1](owner)
    sealed = connection.auth_state.ciphertext
    before = output_of(connection, "--json") + output_of(connection)
    force_disconnect(app, [connection.pk], DisconnectOptions("breach"), origin=origin)
    connection.refresh_from_db()
    text = before + output_of(connection, "--json") + output_of(connection)
    assert TOKENS.refresh_token
    for secret in (sealed, TOKENS.access_token, TOKENS.refresh_token, "client secret"):
        assert secret not in text
    for name in ("auth_state", "sealed_tokens", "refresh_token_hash", "refresh_token_prefix"):
        assert name not in text


def test_it_says_whose_it_is(owner: User, teammate: User, platforms: Bank) -> None:
    of_user = known(connection_of(owner))["owner"]
    assert of_user == {
        "type": "user",
        "id": str(owner.pk),
        "email": "owner@example.com",
        "is_active": True,
    }
    teammate.is_active = False
    teammate.save()
    of_team = known(account_of_user(owner))["owner"]
    assert (of_team["type"], of_team["id"]) == ("team", str(owner.own_team.pk))
    assert (of_team["members"], of_team["active_members"]) == (2, ["owner@example.com"])


def test_it_shows_who_lives_on_the_same_grant(
    owner: User, outsider: User, use_platforms: UsePlatforms
) -> None:
    use_platforms("grant")
    connection, sibling = connection_of(owner), connection_of(outsider)
    connection_of(outsider, account_id="somebody else")
    assert known(connection)["grant_siblings"] == [
        {"app": "providers", "connection_id": str(sibling.pk)}
    ]


def test_it_shows_a_refresh_that_is_under_way(owner: User, platforms: Bank) -> None:
    until = timezone.now() + timedelta(seconds=15)
    connection = connection_of(owner, refresh_lease=uuid7(), refresh_leased_until=until)
    assert not known(connection)["refresh_lease"]
    connection.refresh_lease, connection.refresh_leased_until = uuid7(), until
    connection.save()
    assert known(connection)["refresh_lease"]["is_held"]


def test_it_shows_the_pending_revocation(owner: User, platforms: Bank, origin: Origin) -> None:
    connection = connection_of(owner)
    force_disconnect("providers", [connection.pk], DisconnectOptions("breach"), origin=origin)
    RevocationJob.objects.update(attempts=3, last_error="unavailable")
    connection.refresh_from_db()
    found = known(connection)
    (job,) = found["revocations"]
    assert (job["state"], job["attempts"], job["last_error"]) == ("pending", 3, "unavailable")
    assert found["receipt"]["revocation"]["state"] == "pending"
    assert found["receipt"]["actor"] == "operator"


def test_it_shows_what_is_scheduled(owner: User, platforms: Bank) -> None:
    channel = channel_of(owner)
    schedule_of(channel)
    schedule_of(channel, status="cancelled", cancelled_at=timezone.now())
    found = known(channel)
    assert found["schedules"] == {"pending": 1, "cancelled": 1}
    assert [one["status"] for one in found["active_schedules"]] == ["pending"]


def test_it_shows_events_oldest_first(
    owner: User, operator: User, platforms: Bank, origin: Origin
) -> None:
    connection = connection_of(owner)
    force_disconnect("providers", [connection.pk], DisconnectOptions("breach"), origin=origin)
    connection.refresh_from_db()
    first, second = known(connection)["trail"]
    assert (first["action"], second["action"]) == (
        "provider_disconnected",
        "connection_force_disconnected",
    )
    assert second["reason"] == "breach"
    assert operator.email in second["actor"]


def test_it_says_first_what_needs_attention(owner: User, platforms: Bank, origin: Origin) -> None:
    suspend(slug="bank", reason="breach", origin=origin)
    found = known(connection_of(owner, status="expired"))
    assert found["platform"]["suspended_because"] == "breach"
    assert found["attention"][0]["is_urgent"]


def test_people_read_it_in_words(owner: User, platforms: Bank, origin: Origin) -> None:
    channel = channel_of(owner)
    schedule_of(channel)
    options = DisconnectOptions("breach", cancel_schedules=True)
    force_disconnect("channels", [channel.pk], options, origin=origin)
    text = output_of(channel)
    for words in ("status", "disconnected", "Revocations", "rfc7009", "because: breach"):
        assert words.lower() in text.lower()
    assert "\nrefresh lease\n  none" in text


def test_a_removed_platform_stops_nothing(owner: User) -> None:
    connection = connection_of(owner, slug="gone", status="disconnected")
    found = known(connection)
    assert (found["platform"]["is_in_catalogue"], found["platform"]["name"]) == (False, None)
    assert output_of(connection)


@pytest.mark.parametrize("name", ["01a21243-8e0d-77a8-ba87-8a3a0ae3498c", "nonsense"])
def test_an_unknown_id_is_named_and_gives_exit_code_1(name: str) -> None:
    with pytest.raises(CommandError, match=name) as refused:
        call_command("inspect_connection", name)
    assert refused.value.returncode == 1


def test_connections_of_all_apps_are_found_by_id(owner: User, platforms: Bank) -> None:
    rows = [make(owner) for _, make in MAKERS.values()]
    assert [find_connection(row.pk) for row in rows] == rows
    assert find_connection(uuid7()) is None


def test_queries_do_not_grow_with_the_history(
    owner: User, platforms: Bank, origin: Origin, django_assert_max_num_queries: Any
) -> None:
    channel = channel_of(owner)
    for _ in range(5):
        schedule_of(channel)
    with django_assert_max_num_queries(10):
        inspect(channel)
