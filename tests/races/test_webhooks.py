"""Notices of platforms beside each other, and beside a refresh that is under way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.identity.models import User
from providers.models import Connection
from tests.races.conftest import Gate, at_once, meanwhile
from tests.support.bank import Bank, connect
from tests.support.provider_rows import events
from tests.support.webhook_signing import signed_request
from tests.webhooks.conftest import connected, sent_by  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
FORM = "application/x-www-form-urlencoded"
PLATFORM = Origin(ActorType.PLATFORM, None, Interface.WEBHOOK)


def record_events(text: str) -> Any:
    body = f"signed_request={text}"
    return APIClient().post("/api/v1/webhooks/meta/data-deletion", body, content_type=FORM)


def test_parallel_deletion_requests_have_one_code(
    sent_by: Any,  # noqa: F811 - a fixture
    owner: User,
) -> None:
    sent_by("meta")
    connected("providers", owner)
    text = signed_request()

    answers = at_once([lambda: record_events(text)] * 4)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(events("connection_deauthorized")) == 1


def test_a_refresh_overtaken_by_a_notice_is_revoked(
    api: APIClient, bank: Bank, make_clients: Callable[[int], list[APIClient]], token_gate: Gate
) -> None:
    token_gate.is_open.set()
    row = connect(api)
    token_gate.is_open.clear()
    token_gate.visitors = 0
    (client,) = make_clients(1)
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    with meanwhile(lambda: client.post(path, {"force": True}, format="json")) as answer:
        token_gate.wait_for_visitor()
        with transaction.atomic():
            locked = Connection.objects.select_for_update().get(pk=row.pk)
            mark_deauthorized([locked], origin=PLATFORM, sender="meta")
        token_gate.is_open.set()

    # As for every grant that is dead.
    assert answer.result().status_code == 502
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("revoked", None)
    assert bank.revoked == ["refresh-2", "access-2"]
