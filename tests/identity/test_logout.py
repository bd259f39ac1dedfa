"""Signing out (compare RFC 7009, section 2.2)."""

from typing import Any

import jwt
import time_machine

from connections_project.identity.models import SessionFamily, User
from tests.identity.conftest import EMAIL, PASSWORD, Post
from tests.support import forged_tokens as forge


def test_after_a_logout_the_refresh_token_is_dead(signed_in: dict[str, Any], post: Post) -> None:
    response = post("logout", refresh_token=signed_in["refresh_token"])
    assert (response.status_code, response.content) == (204, b"")
    assert post("refresh", refresh_token=signed_in["refresh_token"]).status_code == 401


def test_an_access_token_lives_on_for_its_minutes(
    signed_in: dict[str, Any], post: Post, whoami: Any
) -> None:
    post("logout", refresh_token=signed_in["refresh_token"])
    assert whoami(signed_in["access_token"]).status_code == 200


def test_any_token_of_the_family_ends_it(signed_in: dict[str, Any], post: Post) -> None:
    youngest = post("refresh", refresh_token=signed_in["refresh_token"]).json()["refresh_token"]
    assert post("logout", refresh_token=signed_in["refresh_token"]).status_code == 204
    assert post("refresh", refresh_token=youngest).status_code == 401


def test_other_sign_ins_stay(signed_in: dict[str, Any], post: Post) -> None:
    other = post("login", email=EMAIL, password=PASSWORD).json()
    post("logout", refresh_token=signed_in["refresh_token"])
    assert post("refresh", refresh_token=other["refresh_token"]).status_code == 200


def test_a_repeated_logout_keeps_its_first_time(signed_in: dict[str, Any], post: Post) -> None:
    post("logout", refresh_token=signed_in["refresh_token"])
    first = SessionFamily.objects.get().revoked_at
    assert post("logout", refresh_token=signed_in["refresh_token"]).status_code == 204
    assert SessionFamily.objects.get().revoked_at == first


def test_an_expired_token_logs_out_all_the_same(owner: User, post: Post) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        token = post("login", email=EMAIL, password=PASSWORD).json()["refresh_token"]
        clock.shift(15 * 86400)
        assert post("logout", refresh_token=token).status_code == 204


def test_a_deactivated_principal_can_log_out(
    owner: User, signed_in: dict[str, Any], post: Post
) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert post("logout", refresh_token=signed_in["refresh_token"]).status_code == 204
    assert SessionFamily.objects.get().revoked_at is not None


def test_a_foreign_token_is_a_401_and_ends_nothing(signed_in: dict[str, Any], post: Post) -> None:
    claims = jwt.decode(signed_in["refresh_token"], options={"verify_signature": False})
    foreign = [
        "rubbish",
        "a.b.c",
        forge.unsigned(signed_in["refresh_token"]),
        jwt.encode(claims, "another key of at least 32 characters", algorithm="HS256"),
        signed_in["access_token"],
    ]
    assert {post("logout", refresh_token=token).status_code for token in foreign} == {401}
    assert post("refresh", refresh_token=signed_in["refresh_token"]).status_code == 200


def test_odd_claims_are_no_500(signed_in: dict[str, Any], post: Post) -> None:
    for claims in (forge.ODD_CLAIMS | {"family": {"family": ["a"]}}).values():
        forged = forge.changed(signed_in["refresh_token"], **claims)
        assert post("logout", refresh_token=forged).status_code in {204, 401}
