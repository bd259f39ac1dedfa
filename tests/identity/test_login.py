"""Signing in with e-mail and password."""

import logging
from typing import Any
from unittest import mock

import jwt
import pytest
from django.conf import LazySettings, settings
from django.contrib.auth.hashers import MD5PasswordHasher

from audit.models import AuditEvent
from connections_project.identity.models import PrincipalType, User
from tests.identity.conftest import EMAIL, PASSWORD, Post

WRONG = {
    "an unknown e-mail": {"email": "nobody@example.com", "password": PASSWORD},
    "a wrong password": {"email": EMAIL, "password": "wrong"},
    "a deactivated principal": {"email": "gone@example.com", "password": PASSWORD},
    "no address at all": {"email": "nobody", "password": PASSWORD},
}


@pytest.fixture
def gone(db: None) -> User:
    return User.objects.create_user("gone@example.com", PASSWORD, is_active=False)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"])
    return claims


def test_good_credentials_give_two_tokens(owner: User, post: Post) -> None:
    response = post("login", email=EMAIL, password=PASSWORD)
    assert response.status_code == 200
    assert set(response.json()) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert response.json()["token_type"] == "bearer"
    assert response.json()["expires_in"] == 900
    assert response.headers["Cache-Control"] == "no-store"


def test_the_access_token_names_principal_and_end(
    owner: User, post: Post, settings: LazySettings
) -> None:
    settings.ACCESS_TOKEN_SECONDS = 77
    body = post("login", email=EMAIL, password=PASSWORD).json()
    claims = claims_of(body["access_token"])
    assert claims["principal_id"] == str(owner.pk)
    assert claims["principal_type"] == "user"
    assert body["expires_in"] == claims["exp"] - claims["iat"] == 77


def test_the_refresh_token_lives_for_14_days(signed_in: dict[str, Any]) -> None:
    claims = claims_of(signed_in["refresh_token"])
    assert 0 <= 14 * 86400 - (claims["exp"] - claims["iat"]) <= 1


@pytest.mark.django_db
def test_a_service_account_signs_in_by_the_same_call(post: Post) -> None:
    User.objects.create_user("bot@example.com", PASSWORD, principal_type=PrincipalType.SERVICE)
    body = post("login", email="bot@example.com", password=PASSWORD).json()
    assert claims_of(body["access_token"])["principal_type"] == "service"


@pytest.mark.parametrize("email", ["OWNER@Example.COM", " owner@example.com "])
def test_the_case_of_an_e_mail_makes_no_difference(owner: User, post: Post, email: str) -> None:
    assert post("login", email=email, password=PASSWORD).status_code == 200


def test_every_refusal_looks_the_same(owner: User, gone: User, post: Post) -> None:
    answers = [post("login", **body) for body in WRONG.values()]
    assert {answer.status_code for answer in answers} == {401}
    assert {a.headers["WWW-Authenticate"].split()[0] for a in answers} == {"Bearer"}
    bodies = [{k: v for k, v in a.json().items() if k != "trace_id"} for a in answers]
    assert all(body == bodies[0] for body in bodies)


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_every_refusal_costs_the_same(
    owner: User, gone: User, post: Post, body: dict[str, str], django_assert_num_queries: Any
) -> None:
    hashes = mock.Mock(side_effect=MD5PasswordHasher().encode)
    with mock.patch.object(MD5PasswordHasher, "encode", hashes), django_assert_num_queries(4):
        post("login", **body)
    assert hashes.call_count == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "email"),
        ({"email": EMAIL}, "password"),
        ({"email": "", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": ""}, "password"),
        ({"email": None, "password": PASSWORD}, "email"),
        ({"email": 5, "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": 12345678}, "password"),
        ({"email": [EMAIL], "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": {"a": 1}}, "password"),
        ({"email": "a\x00b@example.com", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": "a\x00b"}, "password"),
        ({"email": "\ud800@example.com", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": "\ud800"}, "password"),
        ({"email": "a" * 255, "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": "a" * 1025}, "password"),
    ],
)
@pytest.mark.django_db
def test_a_malformed_body_is_a_400_naming_the_field(
    post: Post, body: dict[str, Any], field: str
) -> None:
    response = post("login", **body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_spaces_of_a_password_count(post: Post, db: None) -> None:
    User.objects.create_user(EMAIL, " spaced ")
    assert post("login", email=EMAIL, password=" spaced ").status_code == 200
    assert post("login", email=EMAIL, password="spaced").status_code == 401


def test_a_bad_bearer_at_the_login_is_ignored(owner: User, client: Any) -> None:
    response = client.post(
        "/api/v1/auth/login",
        {"email": EMAIL, "password": PASSWORD},
        content_type="application/json",
        headers={"Authorization": "Bearer rubbish"},
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (WRONG["an unknown e-mail"], "unknown_email"),
        (WRONG["a wrong password"], "wrong_password"),
        (WRONG["a deactivated principal"], "inactive"),
    ],
)
def test_a_refusal_is_audited_without_secrets(
    owner: User, gone: User, post: Post, body: dict[str, str], reason: str
) -> None:
    post("login", **body)
    event = AuditEvent.objects.get(action="login_failed")
    assert (event.outcome, event.reason) == ("failure", reason)
    assert event.client_address == "127.0.0.1"
    known = User.objects.filter(email=body["email"]).first()
    assert event.subject_id == (known.pk if known else None)
    assert body["email"] not in str(event.details)
    assert body["password"] not in str(event.details)


def test_nothing_secret_is_logged(
    owner: User, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        body = post("login", email=EMAIL, password=PASSWORD).json()
        post("login", email=EMAIL, password="hunter2hunter2")
    for secret in (PASSWORD, "hunter2hunter2", body["access_token"], body["refresh_token"]):
        assert secret not in caplog.text
