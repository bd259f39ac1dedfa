"""A connection's page: what needs attention, its revocations, and what happened to it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from tests.support.admin_pages import job_of, text_of
from tests.support.bank import Bank, connect
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db


def page_text(page: Client, row: Connection) -> str:
    return text_of(page, f"/admin/providers/connection/{row.pk}/change/")


@pytest.mark.django_db(transaction=True)
def test_the_timeline_shows_who_what_when_and_how(
    page: Client, bank: Bank, api: APIClient, owner: User
) -> None:
    row = connect(api)
    bank.server.on("POST", "/revoke", Answer(503))
    trace = api.delete(f"/api/v1/providers/{row.pk}").headers["X-Trace-Id"]
    text = page_text(page, row)
    assert f"provider_connected by user {owner.email} through api" in text
    assert f"trace {trace}" in text
    assert text.index("token_revocation_failed") < text.index("provider_disconnected")
    assert text.index("provider_disconnected") < text.index("provider_connected")
    assert "not revoked at the platform yet, after one try" in text


def test_a_long_history_takes_no_more_queries(
    page: Client, bank: Bank, owner: User, django_assert_max_num_queries: object
) -> None:
    row = connection_of(owner)
    for _ in range(5):
        job_of(row, "revoked")
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page_text(page, row)


@pytest.mark.parametrize("status", ["expired", "revoked", "failed"])
def test_a_dead_grant_says_what_the_user_has_to_do(
    page: Client, bank: Bank, owner: User, status: str
) -> None:
    assert "The user has to" in page_text(page, connection_of(owner, status=status))


def test_a_suspension_is_shown_with_its_reason(page: Client, bank: Bank, owner: User) -> None:
    Suspension.objects.create(slug="bank", reason="they were breached", suspended_at=timezone.now())
    assert "Urgent: Bank is suspended: they were breached" in page_text(page, connection_of(owner))


def test_an_ending_grant_and_lost_owner_are_noticed(page: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner)
    row.grant_expires_at = timezone.now() + timedelta(hours=3)
    row.save()
    User.objects.filter(pk=owner.pk).update(is_active=False)
    text = page_text(page, row)
    assert "ends within a day" in text
    assert "Its owner is deactivated" in text


def test_an_abandoned_revocation_asks_for_action(page: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner, status="disconnected")
    job_of(row, "abandoned")
    assert "Urgent: Telling the platform was given up" in page_text(page, row)


def test_our_own_refused_credentials_are_urgent(page: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner, status="disconnected")
    job_of(row, last_error="invalid_client", attempts=2)
    assert "refuses our client credentials" in page_text(page, row)


def test_a_sound_connection_has_no_notice(page: Client, bank: Bank, owner: User) -> None:
    text = page_text(page, connection_of(owner))
    assert "Needs attention" not in text
    assert not RevocationJob.objects.exists()


def test_what_someone_wrote_into_a_name_stays_text(page: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner, alias="<script>alert(1)</script>")
    Connection.objects.update(platform_account_name="<img src=x>")
    for path in ("", f"{row.pk}/change/"):
        answer = page.get(f"/admin/providers/connection/{path}").content.decode()
        assert "<img src=x>" not in answer
        assert "<script>alert" not in answer
