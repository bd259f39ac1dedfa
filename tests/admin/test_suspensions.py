"""The kill switch in the admin: suspend a platform with a reason, and resume it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import is_suspended
from connections_project.revocation.circuits import note_call_failure
from connections_project.revocation.models import CallCircuit
from tests.support.admin_pages import text_of
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of, events

LIST = "/admin/platforms/suspension/"

pytestmark = pytest.mark.django_db


def test_a_platform_is_suspended_and_resumed(page: Client, bank: Bank, operator: User) -> None:
    page.post(f"{LIST}bank/suspend/", {"reason": "breached", "platform": " bank "})
    assert is_suspended("bank")
    text = text_of(page, LIST)
    assert "suspended 0 “breached”" in text
    assert f"by {operator.email}" in text
    page.post(f"{LIST}bank/resume/", {"reason": "all clear"})
    assert not is_suspended("bank")
    assert [one.reason for one in events("platform_suspended")] == ["breached"]
    assert [one.reason for one in events("platform_resumed")] == ["all clear"]
    assert events("platform_resumed")[0].actor_id == operator.pk


def test_every_catalogue_platform_is_listed(page: Client, bank: Bank) -> None:
    text = text_of(page, LIST)
    assert "Bank bank providers in use 0" in text
    assert "Charles Schwab schwab providers no client credentials" in text
    assert "planned" in text


def test_a_removed_platform_can_be_resumed(page: Client, db: None) -> None:
    Suspension.objects.create(slug="gone", reason="old", suspended_at="2026-01-01T00:00:00Z")
    assert "left the catalogue" in text_of(page, LIST)
    page.post(f"{LIST}gone/resume/", {"reason": "tidy"})
    assert not Suspension.objects.exists()


def test_without_a_reason_nothing_is_suspended(page: Client, bank: Bank) -> None:
    assert page.post(f"{LIST}bank/suspend/", {"reason": " ", "platform": "Bank"}).status_code == 200
    assert not Suspension.objects.exists()


def test_a_platform_that_nobody_knows_is_not_there(page: Client, db: None) -> None:
    for action in ("suspend", "resume"):
        assert page.get(f"{LIST}nobody/{action}/").status_code == 404


def test_auditors_see_no_buttons_and_are_refused(auditors_page: Client, bank: Bank) -> None:
    assert "Suspend Bank" not in text_of(auditors_page, LIST)
    for action in ("suspend", "resume"):
        assert auditors_page.post(f"{LIST}bank/{action}/", {"reason": "x"}).status_code == 403
    assert not Suspension.objects.exists()


def test_another_name_suspends_nothing(page: Client, bank: Bank) -> None:
    answer = page.post(f"{LIST}bank/suspend/", {"reason": "breached", "platform": "Schwab"})
    assert "That is not Bank." in answer.content.decode()
    assert not Suspension.objects.exists()


def test_it_says_what_would_stop(page: Client, bank: Bank, owner: User) -> None:
    connection_of(owner)
    connection_of(owner, status="disconnected", account_id="2")
    note_call_failure("bank", retry_after=600)
    until = timezone.now() + timedelta(minutes=30)
    CallCircuit.objects.update(blocked_until=until)
    assert f"in use calls wait until {until:%Y-%m-%d %H:%M:%S} UTC 1" in text_of(page, LIST)
    asked = text_of(page, f"{LIST}bank/suspend/")
    assert "1 live connection there is neither refreshed nor synced" in asked


def test_what_is_not_active_has_no_button(page: Client, bank: Bank) -> None:
    html = page.get(LIST).content.decode()
    assert "/suspension/chase/suspend/" not in html
    assert '<a class="button" href="/admin/platforms/suspension/schwab/suspend/">' in html
    assert '<a class="button destructive" href="/admin/platforms/suspension/bank/suspend/">' in html
