"""People connect on their page, and come back to it."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from providers.models import Connection
from tests.pages.conftest import CALLBACK
from tests.support.bank import Bank
from tests.support.person_pages import come_back, connect, policy, words
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db


def test_nobody_is_shown_anything(bank: Bank, anonymous: Client) -> None:
    answer = Client().get("/connections")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fconnections")


def test_it_is_connected(bank: Bank, page: Client, owner: User) -> None:
    query = connect(page)
    assert query["redirect_uri"] == CALLBACK
    back = come_back(page, query)
    row = Connection.objects.get()
    assert back.status_code == 302
    assert back["Location"] == f"/connections?connection_id={row.pk}&status=connected"
    shown = words(page.get("/connections"))
    assert "Bank is connected." in shown
    assert "Bank Ada Connected since" in shown
    event = AuditEvent.objects.get(action="provider_connected")
    assert (event.interface, event.actor_id) == ("page", owner.pk)


def test_declining_is_told(bank: Bank, page: Client) -> None:
    back = come_back(page, connect(page), code="", error="access_denied")
    assert back["Location"] == "/connections?connection_id=&status=declined"
    assert "Access was not granted. Nothing was connected." in words(page.get("/connections"))


def test_a_platform_that_fails_is_told(bank: Bank, page: Client) -> None:
    bank.server.on("POST", "/token", bank.tokens(access_token=None))
    assert come_back(page, connect(page))["Location"].endswith("&status=failed")


def test_the_policy_names_the_platform(bank: Bank, page: Client) -> None:
    directives = policy(page.get("/connections"))
    # Behind its authorization endpoint it may send people on, as to a host for phones.
    assert directives["form-action"] == ["'self'", "https:", bank.server.url]
    assert "script-src" not in directives
    assert directives["default-src"] == ["'none'"]


def test_what_leads_elsewhere_is_not_offered(
    bank: Bank, page: Client, settings: LazySettings
) -> None:
    settings.OAUTH_CLIENTS["bank"]["redirect_uris"] = ["https://app.example.com/callback"]
    assert policy(page.get("/connections"))["form-action"] == ["'self'"]
    assert "Connect Bank" not in words(page.get("/connections"))
    answer = page.post("/connections/connect", {"platform": "bank"}, follow=True)
    assert "This platform can't be connected" in words(answer)


def test_what_is_suspended_is_not_offered(bank: Bank, page: Client) -> None:
    Suspension.objects.create(slug="bank", reason="breach", suspended_at="2026-11-01T00:00Z")
    assert "Connect Bank" not in words(page.get("/connections"))


class TestReconnect:
    def test_the_same_connection_takes_the_grant(
        self, bank: Bank, page: Client, owner: User
    ) -> None:
        row = connection_of(owner, status="expired", alias="Rent")
        row.need_attention("grant_expired", now=timezone.now())
        row.save()
        assert "The access has run out. Reconnect" in words(page.get("/connections"))
        answer = page.post(f"/connections/{row.pk}/reconnect")
        come_back(page, {"redirect_uri": CALLBACK, "state": _state(answer["Location"])})
        row = Connection.objects.get()
        assert (row.status, row.alias, row.attention_reason) == ("active", "Rent", None)
        assert "Needs you" not in words(page.get("/connections"))

    def test_somebody_elses_is_unknown(self, bank: Bank, page: Client, outsider: User) -> None:
        row = connection_of(outsider, status="expired")
        assert page.post(f"/connections/{row.pk}/reconnect").status_code == 404


def _state(location: str) -> str:
    return location.partition("state=")[2].partition("&")[0]


def test_too_many_tries_are_told(bank: Bank, page: Client) -> None:
    for _ in range(5):
        connect(page)
    answer = page.post("/connections/connect", {"platform": "bank"})
    assert answer.status_code == 429
    assert "Too many tries" in words(answer)
    assert int(answer["Retry-After"]) > 0


def test_forms_need_their_token(bank: Bank, owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.post("/connections/connect", {"platform": "bank"}).status_code == 403
