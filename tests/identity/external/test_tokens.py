"""Tokens of an external issuer: which are taken, and for whom they speak."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import LazySettings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from connections_project.identity.models import User
from tests.identity.external.conftest import Me
from tests.support.forged_tokens import HUGE
from tests.support.issuer import Key, TestIssuer, ec_key, ed_key


def test_a_token_speaks_for_its_subject(issuer: TestIssuer, me: Me) -> None:
    answer = me(issuer.token())
    assert answer.status_code == 200
    user = User.objects.get(issuer=issuer.url, subject="kim")
    assert answer.json() == {
        "principal_id": str(user.pk),
        "principal_type": "user",
        "email": "kim@example.com",
        "issuer": issuer.url,
        "subject": "kim",
        "teams": [{"id": str(user.own_team.pk), "name": "kim@example.com"}],
    }
    assert not user.has_usable_password()


def test_the_first_call_is_audited_once(issuer: TestIssuer, me: Me) -> None:
    for _ in range(3):
        me(issuer.token())
    event = AuditEvent.objects.get(action="user_provisioned")
    assert event.subject_id == event.actor_id == User.objects.get(subject="kim").pk
    assert "kim" not in str(event.details)


def test_a_known_principal_costs_one_query(
    issuer: TestIssuer, me: Me, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me(issuer.token())
    with django_assert_num_queries(2):  # The principal, and the teams of the answer.
        assert me(issuer.token()).status_code == 200


def test_nobody_is_linked_by_e_mail(issuer: TestIssuer, me: Me, owner: User) -> None:
    answer = me(issuer.token(email=owner.email))
    assert answer.json()["principal_id"] != str(owner.pk)
    assert answer.json()["email"] == owner.email


def test_an_address_that_changes_is_followed(issuer: TestIssuer, me: Me) -> None:
    first = me(issuer.token()).json()
    second = me(issuer.token(email="new@example.com")).json()
    assert second["email"] == "new@example.com"
    assert second["principal_id"] == first["principal_id"]
    assert me(issuer.token(email=None)).json()["email"] == "new@example.com"


@pytest.mark.parametrize(
    "email", [None, 5, ["a@b"], "a\x00b", "x" * 255, "", "k\x1b[2J@a", "\u202ea@b"]
)
def test_an_odd_address_is_none(issuer: TestIssuer, me: Me, email: Any) -> None:
    assert me(issuer.token(email=email)).json()["email"] is None


def test_services_are_told_by_their_claim(
    issuer: TestIssuer, me: Me, settings: LazySettings
) -> None:
    settings.IDENTITY = issuer.settings(principal_type_claim="kind")
    assert me(issuer.token(kind="service", sub="robot")).json()["principal_type"] == "service"
    assert me(issuer.token(kind="person")).json()["principal_type"] == "user"
    assert me(issuer.token(kind=["service"])).json()["principal_type"] == "user"


def test_an_operator_never_becomes_a_service(
    issuer: TestIssuer, me: Me, settings: LazySettings
) -> None:
    settings.IDENTITY = issuer.settings(principal_type_claim="kind")
    me(issuer.token())
    User.objects.update(is_staff=True)
    assert me(issuer.token(kind="service")).status_code == 401
    assert me(issuer.token()).status_code == 200


def test_the_subject_may_stand_in_another_claim(
    issuer: TestIssuer, me: Me, settings: LazySettings
) -> None:
    settings.IDENTITY = issuer.settings(subject_claim="oid")
    assert me(issuer.token(oid="o-1", sub=None)).json()["subject"] == "o-1"


@pytest.mark.parametrize("key", [ec_key(), ed_key()], ids=["ES256", "EdDSA"])
def test_each_allowed_algorithm_is_taken(issuer: TestIssuer, me: Me, key: Key) -> None:
    issuer.keys.append(key)
    assert me(issuer.token(key=key)).status_code == 200


@pytest.mark.parametrize("kind", [None, "JWT", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_these_types_are_tokens(issuer: TestIssuer, me: Me, kind: str | None) -> None:
    assert me(issuer.token(headers={"typ": kind})).status_code == 200


NOW = int(time.time())
WRONG: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "somebody else"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "a number for an audience": {"aud": 5},
    "an end that is over": {"exp": NOW - 3600},
    "no end": {"exp": None},
    "text for an end": {"exp": str(NOW + 3600)},
    "a boolean for an end": {"exp": True},
    "an end beyond time": {"exp": HUGE},
    "an infinite end": {"exp": float("inf")},
    "no time of issue": {"iat": None},
    "a time of issue to come": {"iat": NOW + 3600},
    "text for a time of issue": {"iat": str(NOW)},
    "a time of issue beyond time": {"iat": HUGE},
    "a later start": {"nbf": NOW + 3600},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a number for a subject": {"sub": 5},
    "a list for a subject": {"sub": ["kim"]},
    "a subject too long": {"sub": "x" * 256},
    "NUL in the subject": {"sub": "kim\x00"},
    "half a surrogate in the subject": {"sub": "kim\ud800"},
    "another issuer": {"iss": "https://id.example.com"},
    "a list for an issuer": {"iss": ["https://id.example.com"]},
    "no issuer": {"iss": None},
    "an issuer with a slash more": {"iss": "/"},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG.keys())
def test_wrong_claims_are_a_401(issuer: TestIssuer, me: Me, claims: dict[str, Any]) -> None:
    if claims.get("iss") == "/":
        claims = {"iss": f"{issuer.url}/"}
    answer = me(issuer.token(**claims))
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/unauthorized")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "dpop+jwt"},
        {"typ": "logout+jwt"},
        {"typ": 5},
        {"kid": "unknown"},
        {"kid": 5},
        {"crit": ["exp"], "exp": 1},
    ],
    ids=str,
)
def test_wrong_headers_are_a_401(issuer: TestIssuer, me: Me, headers: dict[str, Any]) -> None:
    me(issuer.token(sub="first"))
    assert me(issuer.token(headers=headers)).status_code == 401


def test_an_unsigned_token_is_a_401(issuer: TestIssuer, me: Me) -> None:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    assert me(jwt.encode(claims, "", algorithm="none")).status_code == 401
    assert issuer.fetches == 0


def test_the_public_key_signs_nothing(issuer: TestIssuer, me: Me) -> None:
    """RFC 8725, section 2.1: a verifier that lets the token choose takes HS256 of a public key."""
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    forged = jwt.encode(claims, "n" * 64, algorithm="HS256", headers={"kid": "one"})
    assert me(forged).status_code == 401


def test_another_keys_signature_is_a_401(issuer: TestIssuer, me: Me) -> None:
    issuer.keys.append(ec_key("ec"))
    unknown_key = ec_key("ec")
    assert me(issuer.token(key=unknown_key)).status_code == 401


def test_an_algorithm_must_be_allowed(issuer: TestIssuer, me: Me, settings: LazySettings) -> None:
    settings.IDENTITY = issuer.settings(algorithms=("ES256",))
    assert me(issuer.token()).status_code == 401
    assert issuer.fetches == 0


def test_a_deactivated_principal_is_a_401(issuer: TestIssuer, me: Me) -> None:
    me(issuer.token())
    User.objects.update(is_active=False)
    assert me(issuer.token()).status_code == 401
    assert User.objects.count() == 1


def test_ended_sessions_refuse_earlier_tokens(issuer: TestIssuer, me: Me) -> None:
    me(issuer.token())
    ended = timezone.now().replace(microsecond=0)
    User.objects.update(sessions_ended_at=ended)
    second = int(ended.timestamp())
    assert me(issuer.token(iat=second - 1)).status_code == 401
    assert me(issuer.token(iat=second)).status_code == 401
    assert me(issuer.token(iat=second + 1)).status_code == 200


def test_local_tokens_end_with_their_sessions(owner: User, sign_in: Any) -> None:
    api = sign_in(owner)
    assert api.get("/api/v1/me").status_code == 200
    User.objects.filter(pk=owner.pk).update(sessions_ended_at=timezone.now() + timedelta(seconds=1))
    assert api.get("/api/v1/me").status_code == 401


def test_the_leeway_forgives_clocks(issuer: TestIssuer, me: Me, settings: LazySettings) -> None:
    now = int(time.time())
    assert me(issuer.token(exp=now - 10)).status_code == 200
    assert me(issuer.token(iat=now + 10)).status_code == 200
    settings.IDENTITY = issuer.settings(leeway_seconds=0)
    assert me(issuer.token(exp=now - 10)).status_code == 401
