"""`GET /api/v1/me`: whom a token speaks for."""

from rest_framework.test import APIClient

from connections_project.identity.accounts import create_team
from connections_project.identity.models import User
from tests.conftest import SignIn


def test_a_local_user_has_no_issuer(api: APIClient, owner: User) -> None:
    team = create_team(name="Press", emails=["owner@example.com"])
    answer = api.get("/api/v1/me")
    assert answer.status_code == 200
    assert answer.json() == {
        "principal_id": str(owner.pk),
        "principal_type": "user",
        "email": "owner@example.com",
        "issuer": None,
        "subject": None,
        "teams": [
            {"id": str(owner.own_team.pk), "name": "owner@example.com"},
            {"id": str(team.pk), "name": "Press"},
        ],
    }
    assert answer["X-RateLimit-Limit"] == "100"


def test_a_service_account_is_called_one(service_account: User, sign_in: SignIn) -> None:
    assert sign_in(service_account).get("/api/v1/me").json()["principal_type"] == "service"


def test_nobody_is_a_401(anonymous: APIClient) -> None:
    answer = anonymous.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer["X-RateLimit-Limit"] == "60"
