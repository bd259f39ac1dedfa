"""A revoked token is tried, where the catalogue says how, before it is erased here."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import ProbeCircuit, RevocationJob
from providers.models import Connection
from tests.revocation.conftest import EndOf, make_due, processed
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of

REFUSED = Answer(401, json={"error": "invalid_token"})
Verify = Callable[..., None]


@pytest.fixture
def verify(bank: Bank, use_catalogue: Callable[..., None]) -> Verify:
    """Have the catalogue say how tokens are verified, and with what else."""

    def verify(how: str, more: str = "") -> None:
        lines = f'verify = "{how}"\n{more}'
        if how == "introspection":
            lines += f'\nintrospection_endpoint = "{bank.server.url}/introspect"'
        use_catalogue(bank.catalogue(revocation=lines), "bank")

    return verify


def ended(job: RevocationJob) -> tuple[str, str]:
    job.refresh_from_db()
    return job.state, job.verification


def probes(bank: Bank) -> list[Request]:
    return [one for one in bank.server.requests if one.path in {"/me", "/introspect"}]


def last_event(action: str) -> dict[str, Any]:
    found: dict[str, Any] = AuditEvent.objects.filter(action=action).latest("id").details
    return found


def test_a_token_that_is_refused_is_dead(job: RevocationJob, bank: Bank, verify: Verify) -> None:
    verify("identity")
    bank.server.on("GET", "/me", REFUSED)
    assert processed() == ["revoked"]
    assert ended(job) == ("revoked", "verified_dead")
    (probe,) = probes(bank)
    assert probe.headers["Authorization"] == "Bearer access-0"
    # Nothing was spent to find out.
    assert bank.server.requests_to("/token") == []
    assert last_event("token_revoked")["verification"] == "verified_dead"


def test_one_that_is_let_in_is_revoked_again(
    job: RevocationJob, bank: Bank, verify: Verify
) -> None:
    verify("identity")
    assert processed() == ["pending"]
    assert ended(job) == ("pending", "still_alive")
    assert (job.last_error, job.sealed_tokens is None) == ("still_alive", False)
    assert job.due_at > timezone.now()
    failed = last_event("token_revocation_failed")
    assert (failed["result"], failed["verification"]) == ("still_alive", "still_alive")
    bank.server.on("GET", "/me", REFUSED)
    make_due(job)
    assert processed() == ["revoked"]
    assert bank.revoked == ["refresh-0", "access-0"] * 2
    assert ended(job) == ("revoked", "verified_dead")


def test_one_that_stays_alive_raises_an_alarm(
    job: RevocationJob, bank: Bank, verify: Verify, caplog: pytest.LogCaptureFixture
) -> None:
    verify("identity")
    processed()
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert processed() == ["abandoned"]
    assert ended(job) == ("abandoned", "still_alive")
    assert job.sealed_tokens is None
    assert last_event("token_revocation_abandoned")["verification"] == "still_alive"
    assert [one.levelname for one in caplog.records if "Gave up" in one.message] == ["ERROR"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503),
        Answer(429),
        Answer(403, json={"error": "insufficient_scope"}),
        Answer(401, json={"error": "invalid_client"}),
        Answer(body=b"<html>Maintenance</html>"),
        Answer(json={"status": "ok"}),
        Answer(reset=True),
    ],
    ids=lambda one: f"{one.status}-{one.content()!r}"[:24],
)
def test_other_answers_tell_nothing(
    job: RevocationJob, bank: Bank, verify: Verify, answer: Answer
) -> None:
    verify("identity")
    bank.server.on("GET", "/me", answer)
    assert processed() == ["revoked"]
    assert ended(job) == ("revoked", "unverifiable")


def test_without_verifying_nobody_is_asked(job: RevocationJob, bank: Bank) -> None:
    assert processed() == ["revoked"]
    assert ended(job) == ("revoked", "unverifiable")
    assert probes(bank) == []


def test_a_token_past_its_time_proves_nothing(
    row: Connection, end: EndOf, bank: Bank, verify: Verify
) -> None:
    verify("identity")
    Connection.objects.update(token_expires_at=timezone.now() - timedelta(seconds=1))
    bank.server.on("GET", "/me", REFUSED)
    job = end(row)
    assert processed() == ["revoked"]
    assert (ended(job), probes(bank)) == (("revoked", "unverifiable"), [])


def test_whoever_lied_once_is_not_believed(
    row: Connection, end: EndOf, bank: Bank, verify: Verify
) -> None:
    verify("identity")
    Connection.objects.update(token_expires_at=timezone.now() + timedelta(hours=1))
    job = end(row)
    processed()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        # The access token ran out meanwhile; of the refresh token nothing is known.
        assert processed() == ["pending"]
    assert ended(job) == ("pending", "still_alive")


def test_a_lone_token_past_its_time_is_no_danger(
    owner: User, end: EndOf, bank: Bank, verify: Verify
) -> None:
    verify("identity")
    row = connection_of(owner, tokens=TokenSet("access-0"))
    Connection.objects.update(token_expires_at=timezone.now() + timedelta(hours=1))
    job = end(row)
    assert processed() == ["pending"]
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert processed() == ["revoked"]
    assert ended(job) == ("revoked", "unverifiable")


def test_both_tokens_are_introspected(job: RevocationJob, bank: Bank, verify: Verify) -> None:
    verify("introspection")
    bank.server.on("POST", "/introspect", Answer(json={"active": False}))
    assert processed() == ["revoked"]
    assert ended(job) == ("revoked", "verified_dead")
    asked = [(one.form["token"], one.form["token_type_hint"]) for one in probes(bank)]
    assert asked == [("access-0", "access_token"), ("refresh-0", "refresh_token")]
    assert all(one.headers["Authorization"].startswith("Basic ") for one in probes(bank))
    assert bank.server.requests_to("/token") == []


@pytest.mark.parametrize(
    ("how", "more", "probed"),
    [
        ("identity", 'tokens = ["refresh_token"]', []),
        ("introspection", 'tokens = ["refresh_token"]', ["refresh-0"]),
        ("introspection", 'tokens = ["access_token"]', ["access-0"]),
        (
            "introspection",
            'tokens = ["access_token"]\nblast_radius = "grant"',
            ["access-0", "refresh-0"],
        ),
    ],
)
def test_only_what_is_to_end_is_tried(
    job: RevocationJob, bank: Bank, verify: Verify, how: str, more: str, probed: list[str]
) -> None:
    verify(how, more)
    bank.server.on("POST", "/introspect", Answer(json={"active": False}))
    assert processed() == ["revoked"]
    assert [one.form["token"] for one in probes(bank)] == probed


@pytest.mark.parametrize(
    ("of_refresh_token", "expected"),
    [
        (Answer(json={"active": True}), ("pending", "still_alive")),
        (Answer(json={"active": "false"}), ("revoked", "unverifiable")),
        (Answer(401, json={"error": "invalid_client"}), ("revoked", "unverifiable")),
    ],
)
def test_each_of_them_has_to_be_dead(
    job: RevocationJob,
    bank: Bank,
    verify: Verify,
    of_refresh_token: Answer,
    expected: tuple[str, str],
) -> None:
    verify("introspection")
    bank.server.on("POST", "/introspect", Answer(json={"active": False}), of_refresh_token)
    processed()
    assert ended(job) == expected


def test_a_platform_that_hangs_is_left_alone(
    job: RevocationJob, bank: Bank, verify: Verify
) -> None:
    verify("identity")
    until = timezone.now() + timedelta(minutes=1)
    ProbeCircuit.objects.create(platform="bank", faults=5, blocked_until=until)
    assert processed() == ["revoked"]
    assert (ended(job), probes(bank)) == (("revoked", "unverifiable"), [])


def test_probes_that_fail_open_their_circuit(
    row: Connection, end: EndOf, bank: Bank, verify: Verify
) -> None:
    verify("identity")
    bank.server.on("GET", "/me", Answer(503))
    ProbeCircuit.objects.create(platform="bank", faults=4)
    end(row)
    processed()
    assert ProbeCircuit.objects.get().blocked_until is not None


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_long_for_a_probe(
    api: APIClient, owner: User, bank: Bank, verify: Verify, settings: LazySettings
) -> None:
    verify("identity")
    row = connection_of(owner)
    bank.server.on("GET", "/me", Answer(delay=8))
    began = time.monotonic()
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    assert time.monotonic() - began < 2.5
    assert ended(RevocationJob.objects.get()) == ("revoked", "unverifiable")
