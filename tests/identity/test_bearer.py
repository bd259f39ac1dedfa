"""What is taken for a Bearer, and what is not: always 401, never 500."""

import base64
import time
from typing import Any

import pytest
import time_machine
from django.test import Client

from connections_project.core import clock
from connections_project.identity.models import SessionFamily, User
from connections_project.identity.origins import command_origin
from connections_project.identity.sessions import end_all
from tests.identity.conftest import EMAIL, PASSWORD, Post
from tests.support import forged_tokens as forge
from tests.support.clocks import host_ahead, read_right


def test_an_access_token_speaks_for_its_principal(signed_in: dict[str, Any], whoami: Any) -> None:
    response = whoami(signed_in["access_token"])
    assert response.status_code == 200
    assert response.json() == {"email": EMAIL, "actor_type": "user"}


def test_knowing_the_principal_takes_one_query(
    signed_in: dict[str, Any], whoami: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        whoami(signed_in["access_token"])


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_taken_in_any_case(
    signed_in: dict[str, Any], client: Client, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {signed_in['access_token']}"}
    assert client.get("/api/v1/whoami", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "Bearer é", "Bearer a.b.c"]
)
@pytest.mark.django_db
def test_a_header_that_is_no_bearer_is_refused(client: Client, header: str) -> None:
    response = client.get("/api/v1/whoami", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].split()[0].rstrip(",") == "Bearer"


@pytest.mark.parametrize("claims", forge.ODD_CLAIMS.values(), ids=forge.ODD_CLAIMS.keys())
def test_an_odd_claim_is_refused(
    signed_in: dict[str, Any], whoami: Any, claims: dict[str, Any]
) -> None:
    assert whoami(forge.changed(signed_in["access_token"], **claims)).status_code == 401


def test_an_unsigned_token_is_refused(signed_in: dict[str, Any], whoami: Any) -> None:
    assert whoami(forge.unsigned(signed_in["access_token"])).status_code == 401


def test_a_refresh_token_is_no_access_token(signed_in: dict[str, Any], whoami: Any) -> None:
    assert whoami(signed_in["refresh_token"]).status_code == 401


@pytest.mark.django_db
def test_a_header_of_a_thousand_brackets_is_refused(whoami: Any) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 6000).rstrip(b"=").decode()
    assert whoami(f"{nested}.e30.c2ln").status_code == 401


def test_an_expired_token_is_refused(owner: User, post: Post, whoami: Any) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        token = post("login", email=EMAIL, password=PASSWORD).json()["access_token"]
        clock.shift(899)
        assert whoami(token).status_code == 200
        clock.shift(1)
        assert whoami(token).status_code == 401


def test_a_deactivated_principals_token_stops_at_once(
    owner: User, signed_in: dict[str, Any], whoami: Any
) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert whoami(signed_in["access_token"]).status_code == 401


def test_a_deleted_principals_token_is_refused(
    owner: User, signed_in: dict[str, Any], whoami: Any
) -> None:
    owner.delete()
    assert whoami(signed_in["access_token"]).status_code == 401


def test_a_changed_password_ends_every_token(
    owner: User, signed_in: dict[str, Any], whoami: Any, post: Post
) -> None:
    owner.set_password("another password")
    owner.save()
    assert whoami(signed_in["access_token"]).status_code == 401
    assert post("refresh", refresh_token=signed_in["refresh_token"]).status_code == 401


def test_a_browser_session_is_no_bearer(owner: User, client: Client) -> None:
    client.force_login(owner)
    assert client.get("/api/v1/whoami").status_code == 401


@pytest.mark.parametrize(("ahead", "status"), [(1, 200), (5, 200), (9, 200), (30, 401)])
def test_a_host_whose_clock_is_ahead_is_believed(
    signed_in: dict[str, Any], whoami: Any, ahead: int, status: int
) -> None:
    issued = int(time.time()) + ahead
    assert whoami(forge.changed(signed_in["access_token"], iat=issued)).status_code == status


def test_no_end_is_put_off_for_that(signed_in: dict[str, Any], whoami: Any) -> None:
    ended = forge.changed(signed_in["access_token"], exp=int(time.time()) - 1)
    assert whoami(ended).status_code == 401


@pytest.mark.parametrize("ahead", [-120, 120])
def test_hosts_whose_clocks_are_wrong_stop_nothing(
    owner: User, post: Post, whoami: Any, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    read_right(monkeypatch)
    with host_ahead(ahead):
        body = post("login", email=EMAIL, password=PASSWORD).json()
    assert whoami(body["access_token"]).status_code == 200
    body = post("refresh", refresh_token=body["refresh_token"]).json()
    with host_ahead(ahead):
        assert whoami(body["access_token"]).status_code == 200
        assert post("refresh", refresh_token=body["refresh_token"]).status_code == 200


@pytest.mark.parametrize("ahead", [-120, 120])
def test_what_began_on_another_host_ends_all_the_same(
    owner: User, post: Post, whoami: Any, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    read_right(monkeypatch)
    with host_ahead(ahead):
        body = post("login", email=EMAIL, password=PASSWORD).json()
    end_all(owner, until=clock.now(), origin=command_origin(None), reason="test")
    assert SessionFamily.objects.get().revoked_at is not None
    assert whoami(body["access_token"]).status_code == 401
    assert post("refresh", refresh_token=body["refresh_token"]).status_code == 401


def test_no_end_is_put_off_by_a_host_behind(
    owner: User, post: Post, whoami: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = post("login", email=EMAIL, password=PASSWORD).json()["access_token"]
    with time_machine.travel(time.time() + 901):
        read_right(monkeypatch)
        with host_ahead(-120):
            assert whoami(token).status_code == 401
