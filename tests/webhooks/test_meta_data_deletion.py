"""`POST /api/v1/webhooks/meta/data-deletion`, and the page that shows its state."""

import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.revocation.models import RevocationJob
from providers.disconnect import disconnect_own
from tests.support.provider_rows import events
from tests.support.webhook_signing import signed_request
from tests.webhooks.conftest import PERSON, connected, is_live

pytestmark = pytest.mark.django_db
PATH = "/api/v1/webhooks/meta/data-deletion"


@pytest.fixture(autouse=True)
def _meta(sent_by: Any) -> None:
    sent_by("meta")


def send(anonymous: APIClient, text: str) -> Any:
    body = f"signed_request={text}"
    return anonymous.post(PATH, body, content_type="application/x-www-form-urlencoded")


def test_tokens_and_profile_are_erased(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    assert send(anonymous, signed_request()).status_code == 200

    for row in rows.values():
        assert not is_live(row)
        assert row.platform_account_name == ""
        assert row.granting_user_id is None
        assert PERSON not in str(row.platform_account_id)


def test_the_answer_has_the_page_and_the_code(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    answer = send(anonymous, signed_request()).json()

    assert set(answer) == {"url", "confirmation_code"}
    assert answer["url"] == f"{settings.PUBLIC_URL}/data-deletion/{answer['confirmation_code']}"
    page = anonymous.get(urlsplit(answer["url"]).path)
    assert page.status_code == 200
    text = page.content.decode()
    assert answer["confirmation_code"] in text
    assert "3 connections to your account" in text
    assert "Article 17(3)" in text
    assert PERSON not in text


def test_an_unknown_person_gets_page_and_code(anonymous: APIClient) -> None:
    answer = send(anonymous, signed_request(user_id="nobody")).json()

    page = anonymous.get(urlsplit(answer["url"]).path).content.decode()
    assert "no connection to your account" in page


def test_a_repeated_request_gets_the_same_code(anonymous: APIClient, owner: User) -> None:
    text = signed_request()
    first = send(anonymous, text).json()
    row = connected("providers", owner)

    assert send(anonymous, text).json() == first
    assert is_live(row)


def test_it_follows_the_users_deauthorization(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    deauthorize = PATH.replace("data-deletion", "deauthorize")
    anonymous.post(
        deauthorize,
        f"signed_request={signed_request()}",
        content_type="application/x-www-form-urlencoded",
    )

    send(anonymous, signed_request())

    for row in rows.values():
        row.refresh_from_db()
        assert row.platform_account_name == ""


def test_what_was_disconnected_before_is_erased_too(anonymous: APIClient, owner: User) -> None:
    row = connected("providers", owner)
    disconnect_own(
        connection_id=row.pk, user=owner, origin=Origin(ActorType.USER, owner.pk, Interface.API)
    )

    send(anonymous, signed_request())

    row.refresh_from_db()
    assert (row.status, row.platform_account_id, row.granting_user_id) == (
        "disconnected",
        None,
        None,
    )
    assert not RevocationJob.objects.exclude(platform_user_id=None).exists()


def test_the_audit_log_keeps_what_was_done(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    send(anonymous, signed_request())

    recorded = events("connection_deauthorized")
    assert len(recorded) == 3
    assert all(event.details["profile_erased"] for event in recorded)


def test_an_old_request_never_ends_a_newer_connection(anonymous: APIClient, owner: User) -> None:
    row = connected("providers", owner)

    send(anonymous, signed_request(issued_at=int(time.time()) - 60))

    assert is_live(row)
    assert row.platform_account_name == "Ada Lovelace"


def test_a_forged_request_is_refused_and_has_no_page(
    anonymous: APIClient, rows: dict[str, OAuthConnection]
) -> None:
    answer = send(anonymous, signed_request("another secret"))

    assert answer.status_code == 400
    assert "confirmation_code" not in answer.json()
    assert all(is_live(row) for row in rows.values())


def test_a_code_that_nobody_was_given_has_no_page(anonymous: APIClient) -> None:
    assert anonymous.get("/data-deletion/0123456789abcdef").status_code == 404
