"""Exchanging a refresh token for new tokens (RFC 9700, section 4.14.2)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from connections_project.identity.models import SessionFamily, User
from tests.identity.conftest import EMAIL, PASSWORD, Post
from tests.support import forged_tokens as forge


def test_a_refresh_gives_the_same_fields_anew(
    signed_in: dict[str, Any], post: Post, whoami: Any
) -> None:
    response = post("refresh", refresh_token=signed_in["refresh_token"])
    assert response.status_code == 200
    assert set(response.json()) == set(signed_in)
    assert response.json()["refresh_token"] != signed_in["refresh_token"]
    assert response.headers["Cache-Control"] == "no-store"
    assert whoami(response.json()["access_token"]).status_code == 200


def test_tokens_can_be_exchanged_again_and_again(signed_in: dict[str, Any], post: Post) -> None:
    token = signed_in["refresh_token"]
    for _ in range(4):
        token = post("refresh", refresh_token=token).json()["refresh_token"]
    assert SessionFamily.objects.count() == 1


def test_a_reused_token_ends_its_family(signed_in: dict[str, Any], post: Post) -> None:
    youngest = post("refresh", refresh_token=signed_in["refresh_token"]).json()["refresh_token"]
    assert post("refresh", refresh_token=signed_in["refresh_token"]).status_code == 401
    assert post("refresh", refresh_token=youngest).status_code == 401


def test_a_reused_token_spares_other_sign_ins(signed_in: dict[str, Any], post: Post) -> None:
    other = post("login", email=EMAIL, password=PASSWORD).json()
    post("refresh", refresh_token=signed_in["refresh_token"])
    post("refresh", refresh_token=signed_in["refresh_token"])
    assert post("refresh", refresh_token=other["refresh_token"]).status_code == 200


def test_a_reused_token_is_logged_unshown(
    signed_in: dict[str, Any], post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        post("refresh", refresh_token=signed_in["refresh_token"])
    assert "A used refresh token came back" in caplog.text
    assert signed_in["refresh_token"] not in caplog.text


def test_each_exchange_begins_14_days_anew(owner: User, post: Post) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        token = post("login", email=EMAIL, password=PASSWORD).json()["refresh_token"]
        for _ in range(2):
            clock.shift(timedelta(days=13))
            token = post("refresh", refresh_token=token).json()["refresh_token"]
        clock.shift(timedelta(days=14))
        assert post("refresh", refresh_token=token).status_code == 401


def test_an_ended_family_is_dead_whatever_is_claimed(signed_in: dict[str, Any], post: Post) -> None:
    SessionFamily.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert post("refresh", refresh_token=signed_in["refresh_token"]).status_code == 401


def test_a_deactivated_principal_gets_no_new_tokens(
    owner: User, signed_in: dict[str, Any], post: Post
) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert post("refresh", refresh_token=signed_in["refresh_token"]).status_code == 401


def test_a_deleted_principal_gets_no_new_tokens(
    owner: User, signed_in: dict[str, Any], post: Post
) -> None:
    owner.delete()
    assert post("refresh", refresh_token=signed_in["refresh_token"]).status_code == 401


def test_an_access_token_is_no_refresh_token(signed_in: dict[str, Any], post: Post) -> None:
    assert post("refresh", refresh_token=signed_in["access_token"]).status_code == 401


def test_an_unsigned_token_is_refused(signed_in: dict[str, Any], post: Post) -> None:
    forged = forge.unsigned(signed_in["refresh_token"])
    assert post("refresh", refresh_token=forged).status_code == 401


ODD = forge.ODD_CLAIMS | {
    "no family": {"family": None},
    "a list for a family": {"family": ["a"]},
    "an unknown family": {"family": "01890000-0000-7000-8000-000000000000"},
    "NUL for an id": {"jti": "\x00"},
}


@pytest.mark.parametrize("claims", ODD.values(), ids=ODD.keys())
def test_an_odd_claim_is_refused(
    signed_in: dict[str, Any], post: Post, claims: dict[str, Any]
) -> None:
    forged = forge.changed(signed_in["refresh_token"], **claims)
    response = post("refresh", refresh_token=forged)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].split()[0].rstrip(",") == "Bearer"


@pytest.mark.parametrize("value", [None, "", 5, ["a"], {}, True, "a\x00b", "\ud800", "a" * 4097])
@pytest.mark.parametrize("call", ["refresh", "logout"])
@pytest.mark.django_db
def test_a_malformed_body_is_a_400_naming_the_field(post: Post, call: str, value: Any) -> None:
    response = post(call, refresh_token=value)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "refresh_token"


def test_ended_families_are_deleted_at_next_sign_in(owner: User, post: Post) -> None:
    post("login", email=EMAIL, password=PASSWORD)
    SessionFamily.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    post("login", email=EMAIL, password=PASSWORD)
    assert SessionFamily.objects.count() == 1
