"""Endpoints and deliveries in the admin."""

import re
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.core.periodic import periodic_task_of
from connections_project.events.models import Delivery, Endpoint
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.metrics import tables
from connections_project.platforms.suspend import suspend
from providers.models import Connection
from tests.admin.conftest import operator, page
from tests.support.bank import Bank
from tests.support.event_receiver import Receiver
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of

__all__ = ["operator", "page"]
pytestmark = pytest.mark.django_db(transaction=True)
ENDPOINTS, DELIVERIES = "/admin/events/endpoint/", "/admin/events/delivery/"


def text(page: Client, address: str) -> str:
    answer = page.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def happen() -> None:
    suspend(slug="bank", reason="maintenance", origin=command_origin(None))


def given_out(page: Client) -> dict[str, str]:
    """Return what the page gives out for its form."""
    found = re.search(r'name="(row_id)" value="([^"]+)"', text(page, f"{ENDPOINTS}add/"))
    assert found is not None
    return {found[1]: found[2]}


def test_a_form_that_is_sent_twice_makes_one(page: Client) -> None:
    body = {"url": "http://127.0.0.1:9/events", **given_out(page)}
    assert "whsec_" in page.post(f"{ENDPOINTS}add/", body).content.decode()
    again = page.post(f"{ENDPOINTS}add/", body, follow=True).content.decode()
    assert "made once" in again
    assert "whsec_" not in again
    assert Endpoint.objects.count() == 1


def test_an_endpoint_is_made_and_its_secret_shown_once(page: Client) -> None:
    body = {"url": "http://127.0.0.1:9/events", "types": ["platform.suspended"]}
    shown = page.post(f"{ENDPOINTS}add/", {**body, **given_out(page)}).content.decode()
    assert re.search(r'value="whsec_[A-Za-z0-9+/=]{44}"', shown)
    endpoint = Endpoint.objects.get()
    assert endpoint.types == "platform.suspended"
    assert "whsec_" not in text(page, f"{ENDPOINTS}{endpoint.pk}/change/")
    assert AuditEvent.objects.get(action="event_endpoint_created").interface == "admin"


def test_a_wrong_address_is_refused(page: Client) -> None:
    body = {"url": "https://10.0.0.1/", **given_out(page)}
    shown = page.post(f"{ENDPOINTS}add/", body).content.decode()
    assert "That address is private" in shown
    assert not Endpoint.objects.exists()


def test_a_secret_is_rotated(page: Client, receiver: Receiver) -> None:
    address = f"{ENDPOINTS}{receiver.endpoint.pk}/rotate/"
    assert address in text(page, f"{ENDPOINTS}{receiver.endpoint.pk}/change/")
    assert "whsec_" not in text(page, address)
    assert "whsec_" in page.post(address).content.decode()
    # The secret of before still signs, and is dropped only by who says so.
    assert "Rotate all the same" in text(page, address)
    refused = page.post(address).content.decode()
    assert "Not rotated" in refused
    assert "whsec_" not in refused
    box = re.search(r'name="force" value="([^"]+)"', text(page, address))
    assert box is not None
    assert "whsec_" in page.post(address, {"force": box[1]}).content.decode()
    # Sent again, it would drop the secret that was shown just now.
    refused = page.post(address, {"force": box[1]}).content.decode()
    assert "Not rotated" in refused
    assert "whsec_" not in refused
    assert "checked" not in refused


def test_it_is_disabled_with_a_reason(page: Client, receiver: Receiver) -> None:
    address = f"{ENDPOINTS}{receiver.endpoint.pk}"
    page.post(f"{address}/disable/", {"reason": "moved"})
    assert "moved" in text(page, f"{address}/change/")
    assert "is disabled: moved" in text(page, "/admin/")
    page.post(f"{address}/enable/", {"reason": "back"})
    assert Endpoint.objects.get().is_enabled


def test_a_test_event_is_sent(page: Client, receiver: Receiver) -> None:
    address = f"{ENDPOINTS}{receiver.endpoint.pk}/test/"
    assert "answered 204" in page.post(address, follow=True).content.decode()
    assert receiver.types == ["endpoint.test"]


def test_health_and_deliveries(page: Client, bank: Bank, receiver: Receiver) -> None:
    receiver.server.on("POST", receiver.path, Answer(500), lambda _: Answer(200))
    happen()
    assert "100 % of 1" in text(page, ENDPOINTS)
    delivery = Delivery.objects.get()
    listed = text(page, f"{DELIVERIES}?state=pending&endpoint={receiver.endpoint.pk}")
    assert "status_500" in listed
    assert "platform.suspended" in text(page, f"{DELIVERIES}{delivery.pk}/change/")
    page.post(f"{DELIVERIES}{delivery.pk}/resend/")
    assert Delivery.objects.get().attempts == 0


def test_a_span_is_replayed(page: Client, bank: Bank, receiver: Receiver) -> None:
    happen()
    since = timezone.now() - timedelta(hours=1)
    address = f"{ENDPOINTS}{receiver.endpoint.pk}/replay/"
    said = page.post(address, {"since": f"{since:%Y-%m-%d %H:%M}"}, follow=True)
    assert "1 events are due again" in said.content.decode()
    assert Delivery.objects.get().state == "pending"


def test_the_front_page_tells_of_late_events(
    page: Client, bank: Bank, receiver: Receiver, settings: LazySettings
) -> None:
    receiver.server.on("POST", receiver.path, lambda _: Answer(500))
    happen()
    Delivery.objects.update(begun_at=timezone.now() - timedelta(hours=1))
    periodic_task_of(tables.refresh).do()
    assert "has not taken what happened since" in text(page, "/admin/")


def test_what_needs_attention_is_found(page: Client, owner: User, bank: Bank) -> None:
    connection_of(owner)
    Connection.objects.update(attention_reason="grant_ending", attention_since=timezone.now())
    periodic_task_of(tables.refresh).do()
    assert "1 of provider connections end soon" in text(page, "/admin/")
    listed = text(page, "/admin/providers/connection/?attention_reason=grant_ending")
    assert "grant ending" in listed
    other = text(page, "/admin/providers/connection/?attention_reason=grant_expired")
    assert "0 provider connections" in other
