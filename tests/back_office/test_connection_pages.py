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
from tests.back_office.test_connection_lists import job_of, text_of
from tests.bank import Bank, connect
from tests.rows import connection_of
from tests.servers import Answer

pytestmark = pytest.mark.django_db


def shown(page: Client, row: Connection) -> str:
    return text_of(page, f"/admin/providers/connection/{row.pk}/change/")


@pytest.mark.django_db(transaction=True)
def test_the_timeline_tells_who_did_what_when_through_which_door(
    page: Client, bank: Bank, api: APIClient, owner: User
) -> None:
    row = connect(api)
    bank.server.on("POST", "/revoke", Answer(503))
    trace = api.delete(f"/api/v1/providers/{row.pk}").headers["X-Trace-Id"]
    told = shown(page, row)
    assert f"provider_connected by user {owner.email} through api" in told
    assert f"trace {trace}" in told
    assert told.index("token_revocation_failed") < told.index("provider_disconnected")
    assert told.index("provider_disconnected") < told.index("provider_connected")
    assert "not been told yet, after one try" in told


def test_a_page_takes_the_same_queries_however_long_the_story(
    page: Client, bank: Bank, owner: User, django_assert_max_num_queries: object
) -> None:
    row = connection_of(owner)
    for _ in range(5):
        job_of(row, "revoked")
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        shown(page, row)


@pytest.mark.parametrize("status", ["expired", "revoked", "failed"])
def test_a_dead_grant_says_what_the_user_has_to_do(
    page: Client, bank: Bank, owner: User, status: str
) -> None:
    assert "The user has to" in shown(page, connection_of(owner, status=status))


def test_a_suspended_platform_is_named_with_its_reason(
    page: Client, bank: Bank, owner: User
) -> None:
    Suspension.objects.create(slug="bank", reason="they were breached", suspended_at=timezone.now())
    assert "Urgent: Bank is suspended: they were breached" in shown(page, connection_of(owner))


def test_a_grant_about_to_end_and_a_deactivated_owner_are_hinted_at(
    page: Client, bank: Bank, owner: User
) -> None:
    row = connection_of(owner)
    row.grant_expires_at = timezone.now() + timedelta(hours=3)
    row.save()
    User.objects.filter(pk=owner.pk).update(is_active=False)
    told = shown(page, row)
    assert "ends within a day" in told
    assert "Its owner is deactivated" in told


def test_a_revocation_that_was_given_up_asks_for_somebodys_hand(
    page: Client, bank: Bank, owner: User
) -> None:
    row = connection_of(owner, status="disconnected")
    job_of(row, "abandoned")
    assert "Urgent: Telling the platform was given up" in shown(page, row)


def test_our_own_refused_credentials_are_urgent(page: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner, status="disconnected")
    job_of(row, last_error="invalid_client", attempts=2)
    assert "refuses our client credentials" in shown(page, row)


def test_nothing_is_the_matter_with_a_sound_connection(
    page: Client, bank: Bank, owner: User
) -> None:
    told = shown(page, connection_of(owner))
    assert "Needs attention" not in told
    assert not RevocationJob.objects.exists()


def test_what_someone_wrote_into_a_name_stays_text(page: Client, bank: Bank, owner: User) -> None:
    row = connection_of(owner, alias="<script>alert(1)</script>")
    Connection.objects.update(platform_account_name="<img src=x>")
    for path in ("", f"{row.pk}/change/"):
        answer = page.get(f"/admin/providers/connection/{path}").content.decode()
        assert "<img src=x>" not in answer
        assert "<script>alert" not in answer
