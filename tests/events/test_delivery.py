"""A disconnect arrives: signed, in order, once after the commit, and again until it is taken."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from rest_framework.test import APIClient
from standardwebhooks.webhooks import WebhookVerificationError

from connections_project.events.endpoints import rotate_secret
from connections_project.events.models import Delivery, DeliveryState, Endpoint
from connections_project.events.worker import deliver
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from tests.support.bank import Bank
from tests.support.event_receiver import Receiver, receiver_at
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)


def disconnect(api: APIClient, owner: User) -> str:
    row = connection_of(owner)
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    return str(row.pk)


def test_a_disconnect_arrives_at_once(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver
) -> None:
    connection_id = disconnect(api, owner)
    ended, revoked = receiver.events
    assert ended["type"] == "connection.disconnected"
    assert ended["data"]["connection"] == {
        "id": connection_id,
        "app": "providers",
        "platform": "bank",
        "status": "disconnected",
        "owner": {"principal_id": str(owner.pk), "issuer": None, "subject": None},
    }
    facts = {name: ended["data"][name] for name in ("actor", "reason", "revocation")}
    assert facts == {"actor": "user", "reason": "user", "revocation": "pending"}
    assert (revoked["type"], revoked["data"]["revocation"]) == ("revocation.succeeded", "revoked")
    assert revoked["data"]["actor"] == "system"
    assert ended["data"]["trace_id"] == revoked["data"]["trace_id"]
    assert ended["data"]["sequence"] < revoked["data"]["sequence"]


def test_a_wrong_secret_verifies_nothing(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver
) -> None:
    disconnect(api, owner)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(receiver.requests[0], secret="whsec_" + "AAAA" * 11)


def test_both_secrets_sign_while_one_rotates(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver
) -> None:
    fresh = rotate_secret(receiver.endpoint, origin=command_origin(None))
    disconnect(api, owner)
    request = receiver.requests[0]
    assert receiver.verify(request) == receiver.verify(request, secret=fresh)
    Endpoint.objects.update(old_secret_until=receiver.endpoint.created_at - timedelta(days=1))
    disconnect(api, owner)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(receiver.requests[-1])


def test_a_later_one_waits_for_the_earlier(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver, host: PlatformServer
) -> None:
    host.on("POST", receiver.path, Answer(500), Answer(500), lambda _: Answer(200))
    disconnect(api, owner)
    states = list(deliver())
    assert receiver.types == ["connection.disconnected"] * 3 + ["revocation.succeeded"]
    assert len({event["id"] for event in receiver.events}) == 2
    assert states.count("delivered") == 2


def test_other_connections_do_not_wait(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver, settings: LazySettings
) -> None:
    settings.EVENT_RETRY_SECONDS = (3600,)
    receiver.server.on("POST", receiver.path, Answer(500), lambda _: Answer(200))
    one, other = connection_of(owner), connection_of(owner, account_id="customer-8")
    for row in (one, other):
        api.delete(f"/api/v1/auth/{row.pk}/disconnect")
    list(deliver())
    connections = [event["data"]["connection"]["id"] for event in receiver.events]
    assert connections == [str(one.pk), str(other.pk), str(other.pk)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(302, headers={"Location": "/elsewhere"}), "status_302"),
        (Answer(404), "status_404"),
        (Answer(503), "status_503"),
        (Answer(reset=True), "reset"),
        (Answer(raw=b"no HTTP at all\r\n\r\n"), "malformed"),
    ],
)
def test_what_is_not_taken_stays_due(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver, answer: Answer, error: str
) -> None:
    receiver.server.on("POST", receiver.path, lambda _: answer)
    disconnect(api, owner)
    first = Delivery.objects.order_by("sequence")[0]
    assert (first.state, first.attempts, first.last_error) == ("pending", 1, error)
    assert len(receiver.server.requests) == 1


def test_the_wait_follows_the_plan(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver, settings: LazySettings
) -> None:
    settings.EVENT_RETRY_SECONDS = (5, 30)
    receiver.server.on("POST", receiver.path, lambda _: Answer(500))
    disconnect(api, owner)
    for number, seconds in ((1, 5), (2, 30), (3, 30)):
        first, second = Delivery.objects.order_by("sequence")
        wait = (first.due_at - first.tried_at).total_seconds() if first.tried_at else 0
        assert (first.attempts, round(wait)) == (number, seconds)
        assert second.due_at == first.due_at
        Delivery.objects.update(due_at=first.begun_at)
        list(deliver(due_by=first.begun_at))


def test_retry_after_is_heeded(api: APIClient, owner: User, bank: Bank, receiver: Receiver) -> None:
    receiver.server.on("POST", receiver.path, lambda _: Answer(429, headers={"Retry-After": "120"}))
    disconnect(api, owner)
    first = Delivery.objects.order_by("sequence")[0]
    assert first.tried_at is not None
    assert (first.due_at - first.tried_at).total_seconds() == pytest.approx(120, abs=1)


def test_it_is_given_up_in_the_end(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver, settings: LazySettings
) -> None:
    settings.EVENT_GIVE_UP_SECONDS = 0
    receiver.server.on("POST", receiver.path, Answer(500), lambda _: Answer(200))
    disconnect(api, owner)
    states = list(Delivery.objects.order_by("sequence").values_list("state", flat=True))
    assert states == ["given_up", "delivered"]


def test_410_disables_the_endpoint(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver
) -> None:
    receiver.server.on("POST", receiver.path, lambda _: Answer(410))
    disconnect(api, owner)
    endpoint = Endpoint.objects.get()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "It answered 410 Gone.")
    disconnect(api, owner)
    assert len(receiver.requests) == 1


def test_only_wanted_types_are_sent(
    api: APIClient, owner: User, bank: Bank, host: PlatformServer
) -> None:
    picky = receiver_at(host, types="revocation.succeeded")
    disconnect(api, owner)
    assert picky.types == ["revocation.succeeded"]
    assert Delivery.objects.count() == 1


def test_a_hung_endpoint_delays_no_other(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver, settings: LazySettings
) -> None:
    settings.EVENT_LEASE_SECONDS = 2
    with PlatformServer() as dead:
        hung = receiver_at(dead)
        dead.on("POST", hung.path, lambda _: Answer(200, delay=3))
        disconnect(api, owner)
        assert receiver.types == ["connection.disconnected", "revocation.succeeded"]
    assert Delivery.objects.filter(state=DeliveryState.PENDING, endpoint=hung.endpoint).count() == 2


def test_a_large_answer_is_not_read(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver
) -> None:
    receiver.server.on("POST", receiver.path, lambda _: Answer(200, body=b"x" * 1_000_000))
    disconnect(api, owner)
    assert Delivery.objects.filter(state="delivered").count() == 2


def test_a_command_delivers_what_is_due(
    api: APIClient, owner: User, bank: Bank, receiver: Receiver
) -> None:
    receiver.server.on("POST", receiver.path, Answer(500), lambda _: Answer(200))
    disconnect(api, owner)
    assert Delivery.objects.filter(state="pending").count() == 2
    call_command("run_background", "--once")
    assert not Delivery.objects.filter(state="pending").exists()
