"""The page where people sign in."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from audit.models import AuditEvent
from connections_project.identity.models import User
from tests.identity.conftest import EMAIL, PASSWORD

HERE = {"username": EMAIL, "password": PASSWORD}


def signed_in_as(client: Client) -> Any:
    return get_user(client)


def test_the_right_password_leads_to_next(owner: User, client: Client) -> None:
    target = "/oauth/callback/schwab?code=a&state=b"
    response = client.post("/sign-in", HERE | {"next": target})
    assert (response.status_code, response.headers["Location"]) == (302, target)
    assert signed_in_as(client) == owner


def test_next_survives_a_wrong_password(owner: User, client: Client) -> None:
    target = "/oauth/callback/schwab?code=a&state=b"
    page = client.get("/sign-in", {"next": target})
    assert 'value="/oauth/callback/schwab?code=a&amp;state=b"' in page.content.decode()
    page = client.post("/sign-in", HERE | {"password": "wrong", "next": target})
    assert 'value="/oauth/callback/schwab?code=a&amp;state=b"' in page.content.decode()


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""],
)
def test_next_never_leads_away(owner: User, client: Client, target: str) -> None:
    response = client.post("/sign-in", HERE | {"next": target})
    assert response.headers["Location"] == "/sign-in"


@pytest.mark.parametrize(
    "typed", [{"password": "wrong"}, {"username": "nobody@example.com"}, {"username": "x"}]
)
def test_every_failure_has_the_same_message(
    owner: User, client: Client, typed: dict[str, str]
) -> None:
    page = client.post("/sign-in", HERE | typed)
    assert "This e-mail address and password don&#x27;t match." in page.content.decode()
    assert PASSWORD not in page.content.decode()
    assert signed_in_as(client) == AnonymousUser()
    assert AuditEvent.objects.filter(action="login_failed").count() == 1


def test_a_deactivated_principal_is_signed_out(owner: User, client: Client) -> None:
    client.post("/sign-in", HERE)
    User.objects.update(is_active=False)
    assert signed_in_as(client) == AnonymousUser()
    client.post("/sign-in", HERE)
    assert signed_in_as(client) == AnonymousUser()


def test_a_changed_password_ends_the_session(owner: User, client: Client) -> None:
    client.post("/sign-in", HERE)
    owner.set_password("another password")
    owner.save()
    assert signed_in_as(client) == AnonymousUser()


def test_guesses_count_together_with_those_at_the_api(owner: User, client: Client) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        for _ in range(3):
            client.post("/api/v1/auth/login", {"email": EMAIL, "password": "wrong"},
                        content_type="application/json")  # fmt: skip
        pages = [client.post("/sign-in", HERE | {"password": "wrong"}) for _ in range(3)]
        assert [page.status_code for page in pages] == [200, 200, 429]
        assert int(pages[2].headers["Retry-After"]) >= 1
        assert client.post("/sign-in", HERE).status_code == 429
    assert signed_in_as(client) == AnonymousUser()


def test_signing_out_takes_a_post(owner: User, client: Client) -> None:
    client.force_login(owner)
    assert "You are signed in as owner@example.com" in client.get("/sign-in").content.decode()
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert signed_in_as(client) == AnonymousUser()


def test_the_form_is_guarded_against_foreign_sites(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in", HERE).status_code == 403
    token = client.get("/sign-in").context["csrf_token"]
    assert client.post("/sign-in", HERE | {"csrfmiddlewaretoken": str(token)}).status_code == 302


@pytest.mark.django_db
def test_no_inline_code_and_the_origin_is_sent(client: Client) -> None:
    page = client.get("/sign-in")
    for inline in ("<script", "<style", " style=", "onclick", "javascript:"):
        assert inline not in page.content.decode()
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.django_db
def test_a_nul_character_is_refused(client: Client, field: str) -> None:
    page = client.post("/sign-in", HERE | {field: "a\x00b"})
    assert page.status_code == 400
