"""`POST /api/v1/webhooks/security-events/{name}`: what identity providers tell of their people."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.core.clock import database_clock
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations.models import OffboardingJob
from connections_project.operations.offboarding import deactivate, forget, reactivate
from connections_project.webhooks.notices import forget_old_notices
from tests.support.issuer import Key, TestIssuer, ec_key
from tests.support.platform_server import Answer, PlatformServer
from tests.webhooks.conftest import AUDIENCE

pytestmark = pytest.mark.django_db

CAEP = "https://schemas.openid.net/secevent/caep/event-type"
RISC = "https://schemas.openid.net/secevent/risc/event-type"
REVOKED, DISABLED = f"{CAEP}/session-revoked", f"{RISC}/account-disabled"
LEAVING = ["account-disabled", "account-purged", "credential-compromise"]

Tell = Callable[..., Any]


@pytest.fixture
def tell(issuer: TestIssuer, client: Client) -> Tell:
    """Send an event about Kim: `tell(kind, **what differs)`."""

    def tell(kind: str = REVOKED, *, payload: Any = None, name: str = "main", **claims: Any) -> Any:
        usual = {
            "aud": AUDIENCE, "sub": None, "email": None, "exp": None, "jti": str(uuid4()),
            "sub_id": {"format": "iss_sub", "iss": issuer.url, "sub": "kim"},
            "events": {kind: payload or {}}, "headers": {"typ": "secevent+jwt"},
        }  # fmt: skip
        token = issuer.token(**(usual | claims))
        path = f"/api/v1/webhooks/security-events/{name}"
        return client.generic("POST", path, token, content_type="application/secevent+jwt")

    return tell


@pytest.fixture
def kim(issuer: TestIssuer, client: Client) -> User:
    """Somebody who came by a token."""
    assert me(client, issuer.token()) == 200
    return User.objects.get(subject="kim")


def me(client: Client, token: str) -> int:
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def taken(answer: Any) -> bool:
    assert answer.status_code == 202, answer.content
    assert answer.content == b""
    return True


def refused(answer: Any, err: str) -> None:
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert set(answer.json()) == {"err", "description"}
    assert answer.json()["err"] == err


@pytest.mark.parametrize("kind", ["session-revoked", "credential-change"])
def test_tokens_of_before_are_refused(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User, kind: str
) -> None:
    now = int(time.time())
    assert taken(tell(f"{CAEP}/{kind}", payload={"event_timestamp": now - 60}))
    assert me(client, issuer.token(iat=now - 61)) == 401
    assert me(client, issuer.token(iat=now - 60)) == 401
    assert me(client, issuer.token(iat=now - 59)) == 200
    event = AuditEvent.objects.get(action="sessions_ended")
    assert (event.subject_id, event.actor_type, event.interface, event.reason) == (
        kim.pk, "platform", "webhook", f"{CAEP}/{kind}",
    )  # fmt: skip
    assert not OffboardingJob.objects.exists()


def test_without_its_own_time_the_tokens_counts(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User
) -> None:
    now = int(time.time())
    assert taken(tell(iat=now - 100))
    assert me(client, issuer.token(iat=now - 100)) == 401
    assert me(client, issuer.token(iat=now - 99)) == 200
    # An older one that comes late takes nothing back.
    assert taken(tell(iat=now - 200))
    assert me(client, issuer.token(iat=now - 100)) == 401
    assert AuditEvent.objects.filter(action="sessions_ended").count() == 1


@pytest.mark.parametrize("where", ["event", "token"])
def test_what_is_to_come_is_now(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User, where: str
) -> None:
    later = int(time.time()) + 3600
    payload, claims = ({"event_timestamp": later}, {}) if where == "event" else ({}, {"iat": later})
    token = issuer.token()
    assert taken(tell(payload=payload, **claims))
    assert me(client, token) == 401
    assert me(client, issuer.token(iat=int(time.time()) + 2)) == 200


@pytest.mark.parametrize("kind", LEAVING)
def test_an_account_that_is_over_leaves(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User, kind: str
) -> None:
    assert taken(tell(f"{RISC}/{kind}"))
    assert taken(tell(f"{RISC}/{kind}"))
    assert me(client, issuer.token(iat=int(time.time()) + 2)) == 401
    assert OffboardingJob.objects.get().user == kim
    assert AuditEvent.objects.get(action="user_deactivated").interface == "webhook"


def subjects(url: str) -> dict[str, dict[str, Any]]:
    plain = {"format": "iss_sub", "iss": url, "sub": "kim"}
    older = {"subject_type": "iss-sub", "iss": url, "sub": "kim"}
    email = {"format": "email", "email": "KIM@example.com"}
    return {
        "email": {"sub_id": email},
        "complex": {"sub_id": {"format": "complex", "user": plain, "session": {"format": "x"}}},
        "complex by email": {"sub_id": {"format": "complex", "user": email}},
        "older": {"sub_id": None, "payload": {"subject": older}},
        "older email": {"payload": {"subject": {"subject_type": "email", "email": email["email"]}}},
        "older complex": {"sub_id": None, "payload": {"subject": {"user": plain}}},
    }


@pytest.mark.parametrize("form", subjects(""))
def test_subjects_have_many_forms(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User, form: str
) -> None:
    token = issuer.token()
    assert taken(tell(**subjects(issuer.url)[form]))
    assert me(client, token) == 401


def test_what_means_nothing_here_is_taken(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User
) -> None:
    other = {"format": "iss_sub", "iss": "https://other.example.com", "sub": "kim"}
    assert taken(tell(sub_id=other))
    assert taken(tell(sub_id={**other, "iss": issuer.url, "sub": "nobody\x00"}))
    assert taken(tell(sub_id={"format": "email", "email": "nobody@example.com"}))
    opaque = {"format": "opaque", "id": "the stream"}
    assert taken(tell("https://schemas.openid.net/secevent/ssf/event-type/verification",
                      sub_id=opaque))  # fmt: skip
    assert me(client, issuer.token()) == 200


def test_one_that_comes_again_has_no_effect(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User
) -> None:
    assert taken(tell(DISABLED, jti="one"))
    User.objects.filter(pk=kim.pk).update(is_active=True)
    assert taken(tell(DISABLED, jti="one"))
    assert User.objects.get(pk=kim.pk).is_active


def test_one_from_ahead_has_no_effect_again_either(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User
) -> None:
    """It is taken for longer than those of today, and so remembered for longer."""
    ahead = int(time.time()) + 30 * 86400
    assert taken(tell(DISABLED, jti="one", iat=ahead))
    User.objects.filter(pk=kim.pk).update(is_active=True)
    with time_machine.travel(timezone.now() + timedelta(days=20)):
        forget_old_notices()
        assert taken(tell(DISABLED, jti="one", iat=ahead))
    assert User.objects.get(pk=kim.pk).is_active


def test_an_odd_id_is_an_id(tell: Tell, issuer: TestIssuer, client: Client, kim: User) -> None:
    assert taken(tell(DISABLED, jti="\x00\ud800"))
    assert me(client, issuer.token()) == 401


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "another issuer": ("invalid_issuer", {"iss": "https://evil.example.com"}),
    "another audience": ("invalid_audience", {"aud": "connections"}),
    "another's signature": ("invalid_key", {"key": ec_key("one")}),
    "an unknown key": ("invalid_key", {"key": Key("two")}),
    "no id": ("invalid_request", {"jti": None}),
    "no events": ("invalid_request", {"events": {}}),
    "an odd time": ("invalid_request", {"payload": {"event_timestamp": "now"}}),
    "a stale one": ("invalid_request", {"iat": int(time.time()) - 8 * 86400}),
    "an access token": ("invalid_request", {"headers": {"typ": "at+jwt"}}),
    "no subject": ("invalid_request", {"sub_id": None}),
    "another kind of subject": ("invalid_request", {"sub_id": {"format": "opaque", "id": "x"}}),
    "half a subject": ("invalid_request", {"sub_id": {"format": "iss_sub", "sub": "kim"}}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_ones_are_refused(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User, case: str
) -> None:
    err, differing = REFUSED[case]
    refused(tell(**differing), err)
    assert me(client, issuer.token()) == 200


@pytest.mark.parametrize("signature", ["", "x", "changed", "aaaa"])
def test_an_odd_signature_is_a_wrong_one(
    issuer: TestIssuer, client: Client, signature: str
) -> None:
    text = issuer.token(aud=AUDIENCE, jti="one", headers={"typ": "secevent+jwt"})
    tampered = f"{text.rpartition('.')[0]}.{signature}"
    path = "/api/v1/webhooks/security-events/main"
    answer = client.post(path, tampered, content_type="application/secevent+jwt")
    refused(answer, "invalid_key")


def test_a_body_that_is_no_token_is_refused(issuer: TestIssuer, client: Client) -> None:
    answer = client.post("/api/v1/webhooks/security-events/main", "hello", content_type="text/x")
    refused(answer, "invalid_request")


def test_a_transmitter_nobody_knows_is_404(tell: Tell) -> None:
    assert tell(name="other").status_code == 404


def test_without_keys_it_must_come_again(
    tell: Tell, issuer: TestIssuer, client: Client, server: PlatformServer
) -> None:
    user = User.objects.create(issuer=issuer.url, subject="kim", email=None)
    issuer.answer(Answer(503, headers={"Retry-After": "1"}))
    answer = tell(DISABLED, jti="one")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    issuer.answer_well()
    time.sleep(1.1)
    assert taken(tell(DISABLED, jti="one"))
    assert not User.objects.get(pk=user.pk).is_active


def test_its_age_is_told_by_the_clock_by_which_it_is_remembered(
    tell: Tell, kim: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was forgotten by then may not come again, whatever a host's clock says."""
    later = time.time() + timedelta(days=8).total_seconds()
    monkeypatch.setattr(database_clock, "_lead", later - time.monotonic())
    monkeypatch.setattr(database_clock, "is_due", lambda: False)
    answer = tell()
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")


@pytest.mark.parametrize("kind", LEAVING)
def test_one_of_before_a_return_puts_nobody_out(tell: Tell, kim: User, kind: str) -> None:
    deactivate(kim, reason="test", origin=command_origin(None))
    reactivate(kim, reason="test", origin=command_origin(None))
    before, count = int(time.time()) - 2, AuditEvent.objects.count()
    assert taken(tell(f"{RISC}/{kind}", payload={"event_timestamp": before}))
    assert taken(tell(f"{RISC}/{kind}", iat=before))
    assert User.objects.get(pk=kim.pk).is_active
    assert AuditEvent.objects.count() == count
    assert not OffboardingJob.objects.exists()


def test_one_of_the_second_of_a_return_puts_out(tell: Tell, kim: User) -> None:
    """It has whole seconds, so that it may have been after the return."""
    deactivate(kim, reason="test", origin=command_origin(None))
    reactivate(kim, reason="test", origin=command_origin(None))
    returned = User.objects.get(pk=kim.pk).returned_at
    assert returned is not None
    assert taken(tell(DISABLED, payload={"event_timestamp": int(returned.timestamp())}))
    assert not User.objects.get(pk=kim.pk).is_active


def test_an_end_of_sessions_is_no_return(tell: Tell, kim: User) -> None:
    """One that is late tells of a leaver all the same."""
    assert taken(tell())
    assert taken(tell(DISABLED, payload={"event_timestamp": int(time.time()) - 3600}))
    assert not User.objects.get(pk=kim.pk).is_active


def test_one_of_before_somebody_was_forgotten_means_nobody_new(
    tell: Tell, issuer: TestIssuer, client: Client, kim: User
) -> None:
    forget(kim, reason="test", origin=command_origin(None))
    assert me(client, issuer.token(iat=time.time() + 2)) == 200
    assert taken(tell(f"{RISC}/account-purged", payload={"event_timestamp": time.time() - 3600}))
    assert User.objects.get(subject="kim").is_active
    assert taken(tell(f"{RISC}/account-purged", payload={"event_timestamp": time.time()}))
    assert not User.objects.get(subject="kim").is_active
