"""Links to a person's page: who may make one, and who it lets in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.conf.issuers import Identity, Issuer
from connections_project.identity.models import User
from connections_project.pages.models import ConnectSession
from connections_project.pages.visitor import COOKIE
from providers.models import Connection
from tests.conftest import SignIn
from tests.support.bank import Bank
from tests.support.person_pages import come_back, connect, policy, words
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db
ISSUER = "https://id.example.com"
BACK = "https://app.example.com/settings?tab=2"
KIM = {"issuer": ISSUER, "subject": "kim"}


@pytest.fixture(autouse=True)
def _origins(settings: LazySettings) -> None:
    settings.RETURN_URL_ORIGINS = ["https://app.example.com"]
    settings.IDENTITY = Identity(
        {ISSUER: Issuer(name="main", issuer=ISSUER, audiences=("us",))}, {}
    )


@pytest.fixture
def robot(service_account: User, sign_in: SignIn) -> APIClient:
    """A service account that may act for people."""
    from django.contrib.auth.models import Permission

    service_account.user_permissions.add(Permission.objects.get(codename="act_for_users"))
    return sign_in(service_account)


def ask(api: APIClient, **body: Any) -> Any:
    return api.post("/api/v1/connect-sessions", body, format="json")


Link = Callable[..., str]


@pytest.fixture
def link(api: APIClient) -> Link:
    """Return the path of a link to the owner's page."""

    def link(**body: Any) -> str:
        answer = ask(api, **body)
        assert answer.status_code == 201, answer.content
        parts = urlsplit(answer.json()["url"])
        assert f"{parts.scheme}://{parts.netloc}" == "https://localhost:8000"
        return f"{parts.path}?{parts.query}"

    return link


def opened(path: str) -> Client:
    """Return the browser that has opened a link."""
    browser = Client()
    answer = browser.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/connections"), answer.content
    return browser


def wrong(answer: Any) -> str:
    assert answer.status_code == 400, answer.content
    return str(answer.json()["errors"][0]["field"])


class TestMakingOne:
    def test_a_user_opens_the_own_page(self, api: APIClient, owner: User) -> None:
        answer = ask(api)
        assert (answer.status_code, answer.json()["expires_in"]) == (201, 1800)
        assert set(answer.json()) == {"url", "expires_in"}
        assert answer["X-RateLimit-Limit"] == "5"
        assert answer["Cache-Control"] == "no-store"
        event = AuditEvent.objects.get(action="connect_session_created")
        assert (event.actor_id, event.subject_id, event.interface) == (owner.pk, owner.pk, "api")

    def test_only_hashes_are_stored(self, link: Link) -> None:
        token = link().partition("session=")[2]
        assert len(token) == 43
        assert token not in str(ConnectSession.objects.values().get())

    def test_a_user_names_nobody(self, api: APIClient) -> None:
        assert ask(api, owner=KIM).status_code == 403

    def test_a_service_needs_the_permission(self, service_account: User, sign_in: SignIn) -> None:
        assert ask(sign_in(service_account), owner=KIM).status_code == 403

    def test_a_service_acts_for_a_person(self, robot: APIClient) -> None:
        answer = ask(robot, owner=KIM)
        assert answer.status_code == 201
        kim = User.objects.get(issuer=ISSUER, subject="kim")
        assert ConnectSession.objects.get().user == kim
        assert ask(robot, owner=KIM).status_code == 201
        assert User.objects.filter(issuer=ISSUER).count() == 1

    def test_a_local_person_is_named_by_id(self, robot: APIClient, owner: User) -> None:
        named = {"issuer": "https://localhost:8000", "subject": str(owner.pk)}
        assert ask(robot, owner=named).status_code == 201
        assert ConnectSession.objects.get().user == owner

    @pytest.mark.parametrize(
        ("owner", "field"),
        [
            (None, "owner"),
            ({"issuer": "https://other.example", "subject": "kim"}, "owner.issuer"),
            ({"issuer": ISSUER}, "owner.subject"),
            ({"issuer": "https://localhost:8000", "subject": "kim"}, "owner.subject"),
        ],
    )
    def test_wrong_owners(self, robot: APIClient, owner: Any, field: str) -> None:
        assert wrong(ask(robot, owner=owner)) == field

    def test_a_deactivated_person_has_none(self, robot: APIClient) -> None:
        ask(robot, owner=KIM)
        User.objects.filter(subject="kim").update(is_active=False)
        assert ask(robot, owner=KIM).status_code == 403

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/", "https://app.example.com.evil.example/", "//app.example.com/",
            "https://app.example.com@evil.example/", "https://evil.example\\@app.example.com/",
            "http://app.example.com/", "https://app.example.com:8443/", "javascript:alert(1)",
            "https://app.example.com/#x", "https://app.example.com/\n", "",
        ],
    )  # fmt: skip
    def test_wrong_return_urls(self, api: APIClient, url: str) -> None:
        assert wrong(ask(api, return_url=url)) == "return_url"

    def test_the_origin_is_compared(self, link: Link) -> None:
        link(return_url="https://app.example.com:443/x")
        assert ConnectSession.objects.get().return_origin == "https://app.example.com:443"

    @pytest.mark.parametrize("platforms", [["nobody"], ["chase"], "bank", [7], []])
    def test_wrong_platforms(self, api: APIClient, bank: Bank, platforms: Any) -> None:
        assert wrong(ask(api, platforms=platforms)).startswith("platforms")

    def test_the_command_allows_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery staple\n"))
        call_command(
            "create_service_account", "r@example.com", "--password-stdin", "--act-for-users",
            stdout=io.StringIO(),
        )  # fmt: skip
        assert User.objects.get(email="r@example.com").has_perm("pages.act_for_users")


class TestOpeningIt:
    def test_it_shows_the_persons_page(self, bank: Bank, link: Link, owner: User) -> None:
        connection_of(owner)
        browser = opened(link())
        shown = words(browser.get("/connections"))
        assert "Bank Ada Connected since" in shown
        assert owner.email in shown
        cookie = browser.cookies[COOKIE]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        event = AuditEvent.objects.get(action="connect_session_opened")
        assert (event.subject_id, event.interface) == (owner.pk, "page")

    def test_another_browser_is_refused(self, link: Link) -> None:
        path = link()
        browser = opened(path)
        answer = Client().get(path)
        assert answer.status_code == 410
        assert "This link is no longer good" in words(answer)
        assert COOKIE not in answer.cookies
        assert browser.get(path).status_code == 302

    def test_a_made_up_link_is_refused(self, db: None) -> None:
        assert Client().get("/connections?session=%ED%A0%80guess").status_code == 410

    def test_it_ends(self, link: Link, settings: LazySettings) -> None:
        path = link()
        browser = opened(path)
        fresh = link()
        with time_machine.travel(timezone.now() + timedelta(seconds=1801), tick=False):
            assert browser.get("/connections").status_code == 410
            assert browser.get(path).status_code == 410
            assert Client().get(fresh).status_code == 410
        # A browser that had forgotten it would be asked to sign in instead.
        assert browser.cookies[COOKIE]["max-age"] > settings.CONNECT_SESSION_SECONDS

    def test_it_ends_with_the_persons_sessions(self, link: Link, owner: User) -> None:
        browser = opened(link())
        User.objects.filter(pk=owner.pk).update(sessions_ended_at=timezone.now())
        assert browser.get("/connections").status_code == 410

    def test_it_ends_with_the_persons_password(self, link: Link, owner: User) -> None:
        fresh, browser = link(), opened(link())
        owner.set_password("another password")
        owner.save(update_fields=["password"])
        assert browser.get("/connections").status_code == 410
        assert Client().get(fresh).status_code == 410

    def test_it_opens_nothing_else(self, link: Link, operator: User) -> None:
        browser = opened(link())
        assert browser.get("/admin/").status_code == 302
        assert browser.get("/api/v1/me").status_code == 401

    def test_a_prefetch_uses_nothing_up(self, link: Link) -> None:
        path = link()
        assert Client().get(path, headers={"Sec-Purpose": "prefetch"}).status_code == 503
        assert Client().head(path).status_code == 302
        opened(path)

    def test_leaving_forgets_it(self, link: Link) -> None:
        browser = opened(link())
        assert "You have left" in words(browser.post("/connections/leave"))
        assert browser.get("/connections").status_code == 302

    def test_only_some_platforms_are_offered(self, bank: Bank, link: Link) -> None:
        assert "Connect Bank" in words(opened(link(platforms=["bank"])).get("/connections"))
        browser = opened(link(platforms=["schwab"]))
        assert "Connect Bank" not in words(browser.get("/connections"))
        refused = browser.post("/connections/connect", {"platform": "bank"}, follow=True)
        assert "This platform can't be connected" in words(refused)


class TestGoingBack:
    @pytest.mark.parametrize(
        ("query", "status"),
        [({}, "connected"), ({"error": "access_denied", "code": ""}, "declined")],
    )
    def test_the_application_is_told(
        self, bank: Bank, link: Link, query: dict[str, str], status: str
    ) -> None:
        browser = opened(link(return_url=BACK))
        back = come_back(browser, connect(browser), **query)
        row = Connection.objects.first()
        known = str(row.pk) if row else ""
        assert back["Location"] == f"{BACK}&connection_id={known}&status={status}"
        assert back["Referrer-Policy"] == "no-referrer"

    def test_an_empty_query_is_gone_on_with(self, bank: Bank, link: Link) -> None:
        browser = opened(link(return_url="https://app.example.com/?"))
        back = come_back(browser, connect(browser))["Location"]
        assert back.startswith("https://app.example.com/?&connection_id=")

    def test_the_policy_lets_it(self, bank: Bank, link: Link) -> None:
        shown = opened(link(return_url=BACK)).get("/connections")
        assert "https://app.example.com" in policy(shown)["form-action"]
        assert f'href="{BACK}"' in shown.content.decode()

    def test_who_else_is_signed_in_does_not_matter(
        self, bank: Bank, link: Link, owner: User, outsider: User
    ) -> None:
        browser = opened(link())
        query = connect(browser)
        browser.force_login(outsider)
        back = come_back(browser, query)
        assert back["Location"].endswith("&status=connected")
        assert Connection.objects.get().user == owner
        event = AuditEvent.objects.get(action="provider_connected")
        assert (event.actor_id, event.interface) == (owner.pk, "page")

    def test_another_browser_only_gets_a_question(self, bank: Bank, link: Link) -> None:
        browser = opened(link(return_url=BACK))
        asked = come_back(Client(), connect(browser))
        assert (asked.status_code, "Is it you" in words(asked)) == (400, True)

    def test_twice_leads_back_twice(self, bank: Bank, link: Link) -> None:
        browser = opened(link(return_url=BACK))
        query = connect(browser)
        first, second = come_back(browser, query), come_back(browser, query)
        assert first["Location"] == second["Location"]
