"""A link to a person's page ends with the service account that made it, and so do its flows."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone

from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations.offboarding import end_access
from connections_project.pages import sessions
from connections_project.pages.models import ConnectSession
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.person_pages import come_back, connect, words
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def maker(service_account: User) -> User:
    service_account.user_permissions.add(Permission.objects.get(codename="act_for_users"))
    return service_account


@pytest.fixture
def link(maker: User, owner: User) -> Callable[[], str]:
    """Return the paths of links to the owner's page."""

    def link() -> str:
        origin = command_origin(None)
        made = sessions.begin(user=owner, made_by=maker, platforms=(), return_url="", origin=origin)
        return "/connections" + made.url.partition("/connections")[2]

    return link


def deactivated(maker: User) -> None:
    end_access(maker, reason="stolen", origin=command_origin(None))


def signed_out(maker: User) -> None:
    User.objects.filter(pk=maker.pk).update(sessions_ended_at=timezone.now())


def without_permission(maker: User) -> None:
    maker.user_permissions.clear()


def forgotten(maker: User) -> None:
    maker.delete()


@pytest.fixture(params=[deactivated, signed_out, without_permission, forgotten])
def end(request: pytest.FixtureRequest) -> Callable[[User], None]:
    """Each way in which a maker comes to its end."""
    ending: Callable[[User], None] = request.param
    return ending


def test_it_opens_nothing_and_its_page_is_over(
    link: Callable[[], str], maker: User, end: Callable[[User], None]
) -> None:
    unopened, browser = link(), Client()
    assert browser.get(link()).status_code == 302
    assert browser.get("/connections").status_code == 200
    end(maker)
    # Of who is gone the row is gone too: the browser is told so all the same.
    assert browser.get("/connections").status_code == 410
    assert Client().get(unopened).status_code == 410


def test_its_flow_comes_to_nothing(
    bank: Bank, link: Callable[[], str], maker: User, end: Callable[[User], None]
) -> None:
    browser = Client()
    browser.get(link())
    query = connect(browser)
    end(maker)
    assert come_back(browser, query)["Location"].endswith("&status=failed")
    assert bank.server.requests == []
    assert not Connection.objects.filter(status="active").exists()


def test_a_flow_is_refused_whose_maker_ends_meanwhile(
    bank: Bank, link: Callable[[], str], maker: User
) -> None:
    def ends(_: Request) -> Answer:
        deactivated(maker)
        connection.close()
        return bank.tokens()

    bank.server.on("POST", "/token", ends)
    browser = Client()
    browser.get(link())
    assert come_back(browser, connect(browser))["Location"].endswith("&status=failed")
    assert Connection.objects.get().status == "failed"


def test_one_of_an_earlier_release_is_good(
    link: Callable[[], str], owner: User, maker: User
) -> None:
    path, browser = link(), Client()
    ConnectSession.objects.update(made_by=None)
    deactivated(maker)
    assert browser.get(path).status_code == 302
    assert str(owner.email) in words(browser.get("/connections"))
