"""LOCAL_LOGIN=false: people come in by their issuer, and operators still reach the admin."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from rest_framework.test import APIClient

from connections_project.identity.models import User
from tests.conftest import PASSWORD, SignIn
from tests.identity.external.conftest import Me
from tests.support.issuer import TestIssuer


@pytest.fixture
def off(settings: LazySettings) -> LazySettings:
    settings.LOCAL_LOGIN = False
    return settings


@pytest.mark.parametrize("call", ["login", "refresh"])
def test_nobody_signs_in_by_password(
    off: LazySettings, operator: User, anonymous: APIClient, call: str
) -> None:
    body = {"email": operator.email, "password": PASSWORD, "refresh_token": "any"}
    answer = anonymous.post(f"/api/v1/auth/{call}", body, format="json")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("/not_found")
    assert anonymous.post(f"/api/v1/auth/{call}", {}, format="json").status_code == 404


def test_earlier_tokens_are_refused(owner: User, sign_in: SignIn, settings: LazySettings) -> None:
    api = sign_in(owner)
    assert api.get("/api/v1/me").status_code == 200
    settings.LOCAL_LOGIN = False
    assert api.get("/api/v1/me").status_code == 401


def test_an_operators_tokens_stay_good(operator: User, sign_in: SignIn, off: LazySettings) -> None:
    assert sign_in(operator).get("/api/v1/me").status_code == 200


def test_external_tokens_are_taken(off: LazySettings, issuer: TestIssuer, me: Me) -> None:
    assert me(issuer.token()).status_code == 200


def signs_in(client: Client, user: User) -> bool:
    client.post("/sign-in", {"username": user.email, "password": PASSWORD})
    return "_auth_user_id" in client.session


def test_the_page_takes_operators_alone(
    off: LazySettings, owner: User, operator: User, client: Client
) -> None:
    assert not signs_in(client, owner)
    assert signs_in(client, operator)


def test_earlier_sessions_of_others_end(
    owner: User, client: Client, settings: LazySettings
) -> None:
    assert signs_in(client, owner)
    settings.LOCAL_LOGIN = False
    page: Any = client.get("/sign-in")
    assert not page.context["user"].is_authenticated


def test_the_admin_opens_to_operators(off: LazySettings, operator: User, client: Client) -> None:
    User.objects.filter(pk=operator.pk).update(is_superuser=True)
    client.post("/admin/login/", {"username": operator.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


def test_signing_out_stays_possible(
    owner: User, anonymous: APIClient, settings: LazySettings
) -> None:
    body = {"email": owner.email, "password": PASSWORD}
    tokens = anonymous.post("/api/v1/auth/login", body, format="json").json()
    settings.LOCAL_LOGIN = False
    answer = anonymous.post(
        "/api/v1/auth/logout", {"refresh_token": tokens["refresh_token"]}, format="json"
    )
    assert answer.status_code == 204
