"""What rests on the audit log does its work beside a row that can't be read, and names it."""

import json
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from audit.events import Action
from audit.models import AuditEvent
from audit.readable import read
from audit.record import Origin
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.operations import offboarding
from connections_project.operations.leaver_receipt import NotALeaverError, issue_leaver_receipt
from connections_project.webhooks.erasures import forget_whose_grants_ended
from tests.operations.conftest import origin, platforms, use_platforms
from tests.operations.test_leaver_receipt import claims_of as claims_of_leaver
from tests.receipts.conftest import claims_of
from tests.support.admin_pages import text_of
from tests.support.audit_tampering import record_events
from tests.support.bank import Bank
from tests.support.disconnects import disconnect_one
from tests.support.provider_rows import connection_of
from tests.support.unreadable_events import FORGERIES, IDS, forge, unchecked

__all__ = ["origin", "platforms", "unchecked", "use_platforms"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unchecked")]

# These can be parsed, and are nothing that an event of ours has.
ODD = [*FORGERIES, (None, "[1]"), (None, '"text"'), (None, "null")]
ODD_IDS = [*IDS, "list", "text", "null"]
of_each = pytest.mark.parametrize(("time", "details"), ODD, ids=ODD_IDS)


@pytest.fixture
def ended(owner: User, platforms: Bank, origin: Origin) -> OAuthConnection:
    """A connection that is over."""
    row = connection_of(owner)
    disconnect_one(row, origin=origin)
    row.refresh_from_db()
    return row


@of_each
def test_a_connections_pages_show_the_others(
    ended: OAuthConnection, admin_client: Client, time: str | None, details: str
) -> None:
    key = forge(time, details, subject=ended.pk)
    text = text_of(admin_client, f"/admin/providers/connection/{ended.pk}/change/")
    assert f"Event {key} can&#x27;t be read" in text
    assert "provider_disconnected" in text
    for option in ((), ("--json",)):
        out = StringIO()
        call_command("inspect_connection", str(ended.pk), *option, stdout=out)
        assert f"Event {key} can't be read" in out.getvalue()
        assert "provider_disconnected" in out.getvalue()


@of_each
def test_a_receipt_rests_on_the_others_and_names_it(
    ended: OAuthConnection, api: APIClient, time: str | None, details: str
) -> None:
    key = forge(time, details, subject=ended.pk, action=Action.TOKEN_REVOKED)
    claims = claims_of(api, ended)
    assert claims["unreadable"] == [str(key)]
    assert claims["revocation"]["state"] == "pending"


def test_a_receipt_that_could_rest_on_it_alone_is_none(
    api: APIClient, owner: User, platforms: Bank
) -> None:
    row = connection_of(owner, status="disconnected")
    forge("infinity", subject=row.pk, action=Action.PROVIDER_DISCONNECTED)
    assert api.get(f"/api/v1/receipts/{row.pk}").status_code == 404


@of_each
def test_a_leavers_receipt_names_it(
    owner: User,
    platforms: Bank,
    origin: Origin,
    admin_client: Client,
    time: str | None,
    details: str,
) -> None:
    offboarding.deactivate(owner, reason="left", origin=origin)
    key = forge(time, details, subject=owner.pk, action=Action.USER_DEACTIVATED)
    assert claims_of_leaver(issue_leaver_receipt(owner))["unreadable"] == [str(key)]
    text = text_of(admin_client, f"/admin/identity/user/{owner.pk}/change/")
    assert f"Event {key} can&#x27;t be read" in text


def test_nobody_has_left_by_it_alone(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    forge("infinity", subject=owner.pk, action=Action.USER_DEACTIVATED)
    with pytest.raises(NotALeaverError):
        issue_leaver_receipt(User.objects.get(pk=owner.pk))


@of_each
def test_what_an_erasure_left_is_looked_for(time: str | None, details: str) -> None:
    forge(time, details, action=Action.CONNECTION_DEAUTHORIZED)
    assert forget_whose_grants_ended() == 0


@of_each
def test_it_keeps_its_place(time: str | None, details: str) -> None:
    first = record_events(1)
    key = forge(time, details)
    order = [*first, key, *record_events(1)]
    found = read(AuditEvent.objects.order_by("pk"))
    assert [(event.pk, event.is_readable) for event in found] == [
        (one, one != key) for one in order
    ]
    assert found[1].details == {"unreadable": _words(key)}


def test_half_a_surrogate_pair_is_none_that_could_be_shown(admin_client: Client) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("left out: PostgreSQL refuses it")
    key = forge(details=json.dumps({"a": "\ud800"}))
    page: Any = admin_client.get(f"/admin/audit/auditevent/{key}/change/")
    assert page.status_code == 200


def _words(key: UUID) -> str:
    return f"Event {key} can't be read: it was not written by this service (docs/evidence.md)."
