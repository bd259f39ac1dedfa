"""Issuers that hang, lie or rotate: whoever is known stays so, and nobody else comes in."""

import threading
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import LazySettings
from django.test import Client

from connections_project.core.request_slots import request_slot
from connections_project.identity.external_tokens import key_server as server_of
from connections_project.identity.models import User
from connections_project.oauth import key_server, observers
from connections_project.revocation.models import CallCircuit
from tests.identity.external.conftest import Me
from tests.races.conftest import at_once
from tests.support.issuer import JWKS, METADATA, Key, TestIssuer, ec_key
from tests.support.platform_server import Answer, PlatformServer

BAD_ANSWERS = {
    "an error": Answer(500, json={}),
    "nothing there": Answer(404, json={}),
    "no JSON": Answer(body=b"<html>"),
    "a list": Answer(json=[]),
    "no list of keys": Answer(json={"keys": "all"}),
    "50 MB": Answer(body=b'{"keys": [' + b" " * 50_000_000 + b"]}"),
    "deep nesting": Answer(body=b"[" * 100_000),
    "a redirect": Answer(302, headers={"Location": "/elsewhere"}),
    "a reset": Answer(reset=True),
    "half an answer": Answer(json={"keys": []}, cut_after=3),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_no_keys_are_a_503(issuer: TestIssuer, me: Me, answer: Answer) -> None:
    issuer.answer(answer)
    began = time.monotonic()
    refused = me(issuer.token())
    assert refused.status_code == 503
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "WWW-Authenticate" not in refused
    # Whoever comes next is told at once, and the issuer is left alone meanwhile.
    assert me(issuer.token()).status_code == 503
    # A kept connection that is closed without an answer says nothing yet.
    assert issuer.fetches == (2 if answer.reset else 1)
    assert time.monotonic() - began < 5


def test_it_is_tried_again_as_it_was_said(
    issuer: TestIssuer, me: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.answer(Answer(503, json={}, headers={"Retry-After": "1"}))
    refused = me(issuer.token())
    assert (refused.status_code, refused["Retry-After"]) == (503, "1")
    issuer.answer_well()
    time.sleep(1.05)
    assert me(issuer.token()).status_code == 200


def test_a_long_pause_is_cut_short(issuer: TestIssuer, me: Me) -> None:
    issuer.answer(Answer(503, json={}, headers={"Retry-After": "86400"}))
    assert int(me(issuer.token())["Retry-After"]) <= 60


def test_keys_are_read_once_for_many_calls(issuer: TestIssuer, me: Me) -> None:
    for _ in range(5):
        assert me(issuer.token()).status_code == 200
    assert issuer.fetches == 1


def test_known_keys_serve_while_it_is_away(
    issuer: TestIssuer, me: Me, settings: LazySettings
) -> None:
    settings.ISSUER_KEYS_SECONDS = 0
    assert me(issuer.token()).status_code == 200
    issuer.answer(Answer(500, json={}))
    assert [me(issuer.token()).status_code for _ in range(3)] == [200, 200, 200]
    assert issuer.fetches == 2


def test_known_keys_do_not_serve_for_ever(
    issuer: TestIssuer, me: Me, settings: LazySettings
) -> None:
    settings.ISSUER_KEYS_SECONDS = settings.ISSUER_KEYS_KEEP_SECONDS = 1
    assert me(issuer.token()).status_code == 200
    issuer.answer(Answer(500, json={}))
    time.sleep(2.05)
    assert me(issuer.token()).status_code == 503


def test_a_key_that_was_withdrawn_ends(issuer: TestIssuer, me: Me, settings: LazySettings) -> None:
    settings.ISSUER_KEYS_SECONDS = 1
    old = issuer.token()
    assert me(old).status_code == 200
    issuer.keys = [ec_key("two")]
    assert me(old).status_code == 200
    time.sleep(1.05)
    assert me(old).status_code == 401


def test_a_new_key_is_known_at_once(issuer: TestIssuer, me: Me) -> None:
    assert me(issuer.token()).status_code == 200
    issuer.keys.insert(0, ec_key("two"))
    assert me(issuer.token()).status_code == 200
    assert issuer.fetches == 2


def test_unknown_keys_fetch_once_a_minute(issuer: TestIssuer, me: Me) -> None:
    for number in range(5):
        unknown_key = ec_key(f"unknown {number}")
        assert me(issuer.token(key=unknown_key)).status_code == 401
    # The first fetch, and the one that the minute allows.
    assert issuer.fetches == 2
    # An issuer that rotates each second gains nothing by it.
    for number in range(3):
        issuer.keys.insert(0, ec_key(f"rotated {number}"))
        assert me(issuer.token()).status_code == 401
    assert issuer.fetches == 2


def test_a_failed_look_for_a_key_is_no_401(issuer: TestIssuer, me: Me) -> None:
    assert me(issuer.token()).status_code == 200
    issuer.keys.insert(0, ec_key("two"))
    issuer.answer(Answer(500, json={}))
    assert me(issuer.token()).status_code == 503
    assert me(issuer.token(key=issuer.keys[1])).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_hanging_issuer_keeps_one_thread(
    issuer: TestIssuer, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_server, "SECONDS_A_FETCH", 3.0)
    issuer.answer(Answer(delay=30))
    token = issuer.token()

    def call() -> tuple[int, float]:
        began = time.monotonic()
        answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, time.monotonic() - began

    waits = sorted(at_once([call] * 6), key=lambda one: one[1])
    assert [status for status, _ in waits] == [503] * 6
    assert all(seconds < 2 for _, seconds in waits[:-1])
    assert waits[-1][1] < 5
    assert issuer.fetches == 1


def test_a_hanging_issuer_slows_no_other(
    issuer: TestIssuer, me: Me, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_server, "SECONDS_A_FETCH", 2.0)
    with PlatformServer() as other_server:
        other = TestIssuer(other_server)
        both = {**issuer.settings().issuers, **other.settings().issuers}
        settings.IDENTITY = type(issuer.settings())(both, {})
        issuer.answer(Answer(delay=30))
        waiting = threading.Thread(target=_find, args=(issuer,))
        waiting.start()
        began = time.monotonic()
        assert me(other.token()).status_code == 200
        assert time.monotonic() - began < 1
        waiting.join()


@pytest.mark.django_db(transaction=True)
def test_few_threads_wait_for_a_hanging_issuer(
    issuer: TestIssuer, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_THREADS = 4
    monkeypatch.setattr(key_server, "SECONDS_A_FETCH", 3)
    monkeypatch.setattr(key_server, "SECONDS_TO_WAIT", 2.5)
    monkeypatch.setattr(key_server, "SECONDS_AFTER_A_FAILURE", 2)
    issuer.answer(Answer(delay=30))
    token = issuer.token()

    def call() -> float:
        began = time.monotonic()
        answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, int(answer["Retry-After"]) >= 1) == (503, True)
        return time.monotonic() - began

    assert sum(seconds > 2.4 for seconds in at_once([call] * 8)) == 2
    # It has failed now: one request alone waits for it to come back.
    time.sleep(2.5)
    assert sum(seconds > 2.4 for seconds in at_once([call] * 8)) == 1


def test_keys_take_nothing_of_platforms(
    issuer: TestIssuer, me: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_server, "SECONDS_A_FETCH", 0.2)
    asked: list[str | None] = []
    observed: list[str] = []
    monkeypatch.setattr(observers, "_preparations", [lambda *_: asked.append(_server())])
    monkeypatch.setattr(observers, "_observers", [lambda name, *_: observed.append(name)])
    issuer.answer(Answer(delay=30))
    assert me(issuer.token()).status_code == 503
    deadline = time.monotonic() + 5
    while len(observed) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    # Under its own name, and outside of the request that needs them.
    assert (set(observed), set(asked)) == ({issuer.url}, {"no request"})
    assert not CallCircuit.objects.exists()


def _server() -> str | None:
    slot = request_slot()
    return slot.server if slot else "no request"


def _find(issuer: TestIssuer) -> None:
    with pytest.raises(key_server.KeysUnavailableError):
        server_of(issuer=issuer.url, jwks_uri="").find("one", "RS256")


@pytest.mark.django_db(transaction=True)
def test_many_first_calls_make_one_row(
    issuer: TestIssuer, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two may wait for the keys, however long they take; none of the others is turned away at once.
    settings.WEB_THREADS = 4
    monkeypatch.setattr(key_server, "SECONDS_WITHOUT_A_PLACE", 5.0)
    issuer.answer(Answer(json={"keys": issuer.jwks()}, delay=0.3))
    token = issuer.token()

    def call() -> Any:
        answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json().get("principal_id")

    answers = at_once([call] * 8)
    assert {status for status, _ in answers} == {200}
    assert len({principal for _, principal in answers}) == 1
    assert User.objects.count() == 1
    assert issuer.fetches == 1


METADATA_FAILURES: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://id.example.com"},
    "no issuer": {"issuer": None},
    "no keys": {"jwks_uri": None},
    "keys in the clear": {"jwks_uri": "http://example.com/keys"},
    "a file": {"jwks_uri": "file:///etc/passwd"},
    "a number": {"jwks_uri": 5},
}


@pytest.mark.parametrize("failure", METADATA_FAILURES.values(), ids=METADATA_FAILURES.keys())
def test_metadata_that_lies_is_a_503(
    issuer: TestIssuer, me: Me, server: PlatformServer, failure: dict[str, Any]
) -> None:
    document = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}{JWKS}"} | failure
    server.on("GET", METADATA, Answer(json=document))
    assert me(issuer.token()).status_code == 503


def test_metadata_of_rfc_8414_is_read(issuer: TestIssuer, me: Me, server: PlatformServer) -> None:
    document = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}{JWKS}"}
    server.on("GET", METADATA, Answer(404, json={}))
    server.on("GET", "/.well-known/oauth-authorization-server", Answer(json=document))
    assert me(issuer.token()).status_code == 200


def test_given_keys_need_no_metadata(
    issuer: TestIssuer, me: Me, server: PlatformServer, settings: LazySettings
) -> None:
    settings.IDENTITY = issuer.settings(jwks_uri=f"{issuer.url}{JWKS}")
    assert me(issuer.token()).status_code == 200
    assert server.requests_to(METADATA) == []


ODD_KEYS: dict[str, dict[str, Any]] = {
    "for another algorithm": {"alg": "RS512"},
    "for encryption": {"use": "enc"},
    "for signing alone": {"key_ops": ["sign"]},
    "no list of operations": {"key_ops": 5},
    "of another type": {"kty": "oct", "k": "c2VjcmV0"},
    "without a modulus": {"n": None},
    "a number for a modulus": {"n": 5},
    "a modulus without end": {"n": "A" * 100_000},
    "an exponent without end": {"e": "A" * 10_000},
    "no base64": {"n": "\u2603"},
}


@pytest.mark.parametrize("odd", ODD_KEYS.values(), ids=ODD_KEYS.keys())
def test_an_odd_key_verifies_nothing(issuer: TestIssuer, me: Me, odd: dict[str, Any]) -> None:
    issuer.keys = [Key(published=odd)]
    assert me(issuer.token()).status_code == 401


def test_a_weak_key_verifies_nothing(issuer: TestIssuer, me: Me) -> None:
    issuer.keys = [Key(private=rsa.generate_private_key(65537, 1024))]
    assert me(issuer.token()).status_code == 401


def test_a_key_of_another_curve_verifies_nothing(issuer: TestIssuer, me: Me) -> None:
    good, other = ec_key("ec"), ec_key("ec", ec.SECP384R1())
    issuer.keys = [other]
    assert me(issuer.token(key=good)).status_code == 401


def test_without_an_id_the_only_key_is_meant(issuer: TestIssuer, me: Me) -> None:
    assert me(issuer.token(headers={"kid": None})).status_code == 200


def test_without_an_id_two_keys_are_none(issuer: TestIssuer, me: Me) -> None:
    issuer.keys.append(Key("two"))
    assert me(issuer.token(headers={"kid": None})).status_code == 401
