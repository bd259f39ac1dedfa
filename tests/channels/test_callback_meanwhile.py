"""What happens while the channel is asked: no transaction is open, and a disconnect wins."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from channels.disconnect import disconnect_own
from channels.models import ChannelConnection
from connections_project.identity.models import User
from connections_project.revocation.models import GrantHold
from tests.conftest import UseCatalogue
from tests.support.channel_errors import refusal
from tests.support.chirp import Chirp, call_back, connect, start
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import events

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unlimited")]


def during(chirp: Chirp, path: str, then: Callable[[], object]) -> None:
    """Have something happen while the channel is asked, as another process would do it."""
    answer = chirp.tokens if path == "/token" else chirp.identity

    def script(_: Request) -> Answer:
        try:
            then()
        finally:
            connection.close()
        return answer()

    chirp.server.on("POST" if path == "/token" else "GET", path, script)


def disconnect(owner: User) -> None:
    row = ChannelConnection.objects.get(user=owner, disconnected_at=None)
    origin = Origin(ActorType.USER, owner.pk, Interface.API)
    disconnect_own(connection_id=row.pk, user=owner, origin=origin)


def sign_out_everywhere(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(sessions_ended_at=timezone.now())


@pytest.mark.parametrize("path", ["/token", "/me"])
def test_a_disconnect_wins_over_late_tokens(
    api: APIClient, owner: User, chirp: Chirp, path: str
) -> None:
    row = connect(api)
    during(chirp, path, lambda: disconnect(owner))
    assert refusal(call_back(api, start(api))) == (400, "INVALID_STATE")
    only = ChannelConnection.objects.get()
    assert (only.pk, only.status) == (row.pk, "disconnected")
    assert sorted(chirp.revoked) == ["access-1", "access-2", "refresh-1", "refresh-2"]
    assert not GrantHold.objects.exists()
    (failed,) = events("CHANNEL_CONNECTION_FAILED")
    assert failed.details == {
        "platform": "chirp",
        "error": "invalid_state",
        "revocation": "pending",
    }


def test_another_accounts_disconnect_changes_nothing(
    api: APIClient, owner: User, chirp: Chirp
) -> None:
    connect(api)
    chirp.account_id = "customer-8"
    during(chirp, "/token", lambda: disconnect(owner))
    assert call_back(api, start(api)).status_code == 201
    assert ChannelConnection.objects.get(status="connected").platform_account_id == "customer-8"


def test_an_earlier_disconnect_changes_nothing(api: APIClient, owner: User, chirp: Chirp) -> None:
    connect(api)
    state = start(api)
    disconnect(owner)
    assert call_back(api, state).status_code == 201


def test_a_deactivated_owner_gets_no_connection(api: APIClient, owner: User, chirp: Chirp) -> None:
    everyone = User.objects.filter(pk=owner.pk)
    during(chirp, "/token", lambda: everyone.update(is_active=False))
    assert refusal(call_back(api, start(api))) == (400, "INVALID_STATE")
    assert not ChannelConnection.objects.exists()
    assert chirp.revoked == ["refresh-1", "access-1"]


@pytest.mark.parametrize("when", ["before the exchange", "during it"])
def test_the_end_of_all_sessions_ends_a_flow(
    api: APIClient, anonymous: APIClient, owner: User, chirp: Chirp, when: str
) -> None:
    state = start(api)
    if when == "during it":
        during(chirp, "/token", lambda: sign_out_everywhere(owner))
    else:
        sign_out_everywhere(owner)
    assert refusal(call_back(anonymous, state)) == (400, "INVALID_STATE")
    assert not ChannelConnection.objects.exists()
    assert chirp.revoked == (["refresh-1", "access-1"] if when == "during it" else [])


def test_late_tokens_of_a_shared_grant_are_kept(
    api: APIClient, owner: User, outsider: User, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(revocation='blast_radius = "grant"'), "chirp")
    living = connect(api)
    User.objects.filter(pk=owner.pk).update(is_active=True)
    during(chirp, "/token", lambda: User.objects.filter(pk=owner.pk).update(is_active=False))
    assert refusal(call_back(api, start(api))) == (400, "INVALID_STATE")
    assert chirp.revoked == []
    assert events("CHANNEL_CONNECTION_FAILED")[0].details["revocation"] == "shared_grant"
    living.refresh_from_db()
    assert (living.status, living.opened().access_token) == ("connected", "access-1")
