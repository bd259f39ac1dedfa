"""Operators come in by the provider, and by nothing that is not its own."""

from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.oauth import observers
from tests.identity.conftest import PASSWORD
from tests.identity.single_sign_on.conftest import CLIENT_ID, Provider, sign_in, start
from tests.support.issuer import METADATA, Key, ec_key
from tests.support.platform_server import Answer


def opens(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_the_sign_in_page_offers_it(client: Client, provider: Provider) -> None:
    page = client.get("/admin/login/?next=/admin/audit/").content.decode()
    assert 'href="/admin/sso?next=/admin/audit/"' in page


def test_an_operator_comes_in_without_a_code(client: Client, provider: Provider) -> None:
    answer = sign_in(client, provider, "?next=/admin/audit/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/audit/")
    assert opens(client)
    user = User.objects.get()
    assert (user.issuer, user.subject, user.email) == (provider.issuer.url, "kim", None)
    assert user.issuer_email == "kim@example.com"
    assert not user.has_usable_password()
    event = AuditEvent.objects.get(action="operator_signed_in")
    assert (event.actor_id, event.details) == (user.pk, {"by": "single sign-on"})


@pytest.mark.parametrize("email", ["k\x1b[2J@example.com", "\u202ek@example.com", ""])
def test_an_odd_address_is_not_kept(client: Client, provider: Provider, email: str) -> None:
    sign_in(client, provider, email=email)
    assert User.objects.get().issuer_email is None


def test_the_flow_has_pkce_and_nonce(client: Client, provider: Provider) -> None:
    asked = start(client, provider)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "https://localhost:8000/admin/sso/callback"
    assert asked["scope"] == "openid email groups"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
    sign_in(client, provider)
    (request,) = provider.issuer.server.requests_to("/token")
    assert request.form["redirect_uri"] == asked["redirect_uri"]
    assert request.headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in request.form


def test_nobody_is_linked_by_an_address(client: Client, provider: Provider) -> None:
    local = User.objects.create_user("kim@example.com", PASSWORD, is_staff=True)
    sign_in(client, provider)
    assert User.objects.exclude(pk=local.pk).get().subject == "kim"
    local.refresh_from_db()
    assert (local.issuer, local.is_superuser) == (None, False)


def test_it_goes_only_to_addresses_of_ours(client: Client, provider: Provider) -> None:
    answer = sign_in(client, provider, "?next=https://evil.example.com/")
    assert answer["Location"] == "/admin/"


WRONG: dict[str, dict[str, Any]] = {
    "another's nonce": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another client"},
    "another party": {"aud": [CLIENT_ID, "x"], "azp": "x"},
    "perhaps another party": {"aud": [CLIENT_ID, "x"]},
    "another issuer": {"iss": "https://evil.example.com"},
    "over": {"exp": 1},
    "no end": {"exp": None},
    "of no time": {"iat": -(10**400)},
    "of times beyond the calendar": {"iat": -1},
    "of a truth": {"iat": True},
    "another's signature": {"key": ec_key("one")},
    "an unknown key": {"key": Key("two")},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_id_token_lets_nobody_in(client: Client, provider: Provider, case: str) -> None:
    answer = sign_in(client, provider, **WRONG[case])
    assert (answer.status_code, answer["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert not opens(client)
    assert not User.objects.exists()
    assert AuditEvent.objects.get(action="login_failed").reason == "bad_id_token"


def test_a_state_is_good_once_in_its_browser(client: Client, provider: Provider) -> None:
    asked = start(client, provider)
    callback = {"code": "the-code", "state": asked["state"]}
    assert Client().get("/admin/sso/callback", callback).status_code == 403
    assert client.get("/admin/sso/callback", {**callback, "state": "x"}).status_code == 403
    assert client.get("/admin/sso/callback", callback).status_code == 302
    client.get("/admin/sso/callback", callback)
    assert len(provider.issuer.server.requests_to("/token")) == 1


def test_an_answer_of_another_provider_is_sent_nowhere(client: Client, provider: Provider) -> None:
    asked = start(client, provider)
    query = {"code": "the-code", "state": asked["state"], "iss": "https://evil.example.com"}
    assert client.get("/admin/sso/callback", query).status_code == 403
    assert not provider.issuer.server.requests_to("/token")


def test_who_says_no_is_not_signed_in(client: Client, provider: Provider) -> None:
    asked = start(client, provider)
    query = {"error": "access_denied", "state": asked["state"]}
    answer = client.get("/admin/sso/callback", query)
    assert answer.status_code == 403
    assert b"Start again" in answer.content


@pytest.mark.parametrize("state", [{}, {"state": "of nobody"}])
def test_a_link_to_an_error_signs_nobody_out(
    client: Client, provider: Provider, state: dict[str, str]
) -> None:
    sign_in(client, provider)
    refused = client.get("/admin/sso/callback", {"error": "access_denied"} | state)
    assert refused.status_code == 403
    assert opens(client)


@pytest.mark.parametrize("path", [METADATA, "/token"])
def test_a_provider_that_is_away_is_503(client: Client, provider: Provider, path: str) -> None:
    asked = {"state": "x"} if path == METADATA else start(client, provider)
    provider.issuer.server.on("GET" if path == METADATA else "POST", path, Answer(500))
    if path == METADATA:
        assert client.get("/admin/sso").status_code == 503
    else:
        query = {"code": "the-code", "state": asked["state"]}
        assert client.get("/admin/sso/callback", query).status_code == 503


def test_metadata_of_another_issuer_is_refused(client: Client, provider: Provider) -> None:
    published = {"issuer": "https://evil.example.com", "authorization_endpoint": "https://e.com/",
                 "token_endpoint": "https://evil.example.com/"}  # fmt: skip
    provider.issuer.server.on("GET", METADATA, Answer(json=published))
    assert client.get("/admin/sso").status_code == 503


@pytest.mark.parametrize("name", ["scopes_supported", "token_endpoint_auth_methods_supported"])
def test_odd_metadata_is_503(client: Client, provider: Provider, name: str) -> None:
    url = provider.issuer.url
    published = {"issuer": url, "authorization_endpoint": url, "token_endpoint": url, name: None}
    provider.issuer.server.on("GET", METADATA, Answer(json=published))
    assert client.get("/admin/sso").status_code == 503


def test_no_call_is_made_while_the_session_is_locked(
    client: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is known of the provider is over as soon as it is read.
    monkeypatch.setattr("connections_project.identity.single_sign_on.provider.METADATA_SECONDS", -1)
    begun_within: list[int] = []
    usual = connection.savepoint_ids.copy()

    def prepare(*_: Any) -> None:
        begun_within.append(len(connection.savepoint_ids) - len(usual))

    monkeypatch.setattr(observers, "_preparations", [*observers._preparations, prepare])
    assert sign_in(client, provider).status_code == 302
    assert set(begun_within) == {0}


def test_without_it_there_is_nothing(client: Client, db: None, settings: LazySettings) -> None:
    settings.ADMIN_OIDC = None
    assert client.get("/admin/sso").status_code == 404
    assert b"single sign-on" not in client.get("/admin/login/").content


def test_local_operators_still_need_a_code(client: Client, provider: Provider) -> None:
    User.objects.create_user("lee@example.com", PASSWORD, is_staff=True)
    client.post("/admin/login/", {"username": "lee@example.com", "password": PASSWORD})
    assert not opens(client)
    query = "?code=the-code&state=x"
    client.post(f"/admin/login/{query}", {"username": "lee@example.com", "password": "wrong"})
    assert not provider.issuer.server.requests_to("/token")


def test_an_address_fails_20_times_a_minute(client: Client, provider: Provider) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        answers = [client.get("/admin/sso/callback?code=x&state=y") for _ in range(22)]
    assert [answer.status_code for answer in answers] == [403] * 20 + [429] * 2
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert AuditEvent.objects.filter(action="login_failed").count() == 20


@pytest.mark.usefixtures("still_buckets")
def test_an_address_begins_60_times_a_minute(client: Client, provider: Provider) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        answers = [Client().get("/admin/sso") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [302] * 60 + [429]
    assert Session.objects.count() == 60


def test_whoever_is_let_in_has_not_failed(client: Client, provider: Provider) -> None:
    answers = [sign_in(Client(), provider) for _ in range(22)]
    assert {answer["Location"] for answer in answers} == {"/admin/"}


def test_an_absent_provider_fills_no_log(client: Client, provider: Provider) -> None:
    provider.issuer.server.on("GET", METADATA, Answer(503))
    assert client.get("/admin/sso").status_code == 503
    assert not AuditEvent.objects.exists()
