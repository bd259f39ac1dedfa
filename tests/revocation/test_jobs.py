"""What a disconnect leaves to be done: one job, in its own transaction."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.core.vault import open_sealed
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.support.bank import Bank
from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of


def disconnect(api: APIClient, row: Connection) -> int:
    status: int = api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code
    return status


def test_the_job_has_the_ciphertext_as_it_stood(row: Connection, api: APIClient) -> None:
    before = row.auth_state
    answer = api.delete(f"/api/v1/auth/{row.pk}/disconnect")
    job = RevocationJob.objects.get()
    assert job.sealed_tokens == before is not None
    assert (job.app, job.platform, job.connection_id) == ("providers", "bank", row.pk)
    assert (job.owner_id, job.state, job.attempts) == (row.user_id, "pending", 0)
    assert (job.client_id, job.platform_user_id) == ("our client", "customer-7")
    assert job.trace_id == answer["X-Trace-Id"]
    assert job.due_at == job.created_at


def test_the_disconnect_opens_no_seal(
    row: Connection, api: APIClient, settings: LazySettings
) -> None:
    keys = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = []
    assert disconnect(api, row) == 200
    settings.CREDENTIAL_KEYS = keys
    sealed = RevocationJob.objects.get().sealed_tokens
    assert sealed is not None
    opened = open_sealed(sealed, subject=f"connection:{row.pk}")
    assert TokenSet.from_payload(opened) == TokenSet("access-0", "refresh-0")


def test_status_job_and_audit_stand_or_fall_together(
    row: Connection, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("the disk is full")

    monkeypatch.setattr(AuditEvent.objects, "bulk_create", fail)
    assert disconnect(api, row) == 500
    row.refresh_from_db()
    assert row.status == "active"
    assert row.opened() == TokenSet("access-0", "refresh-0")
    assert not RevocationJob.objects.exists()
    assert GrantHold.objects.count() == 1


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_where_there_is_no_token_there_is_no_job(
    owner: User, api: APIClient, bank: Bank, status: str
) -> None:
    assert disconnect(api, connection_of(owner, status=status)) == 200
    assert not RevocationJob.objects.exists()
    event = AuditEvent.objects.get(action="provider_disconnected")
    assert event.details["credentials_erased"] is False
    assert event.details["revocation"] == "not_requested"


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_a_grant_thought_dead_is_revoked_all_the_same(
    owner: User, api: APIClient, bank: Bank, status: str
) -> None:
    disconnect(api, connection_of(owner, status=status))
    assert RevocationJob.objects.get().state == "pending"


def test_too_wide_a_revocation_is_not_sent(
    row: Connection, api: APIClient, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(bank.catalogue(revocation='blast_radius = "client"'), "bank")
    disconnect(api, row)
    assert not RevocationJob.objects.exists()
    event = AuditEvent.objects.get(action="provider_disconnected")
    assert event.details["revocation"] == "not_supported"


@pytest.mark.django_db(transaction=True)
def test_it_is_revoked_right_after_the_commit(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    seen: list[str] = []

    def script(_: object) -> Answer:
        seen.append(with_own_connection(lambda: Connection.objects.get().status))
        return Answer(200)

    bank.server.on("POST", "/revoke", script)
    assert disconnect(api, row) == 200
    assert bank.revoked == ["refresh-0", "access-0"]
    # Another connection to the database saw it done already.
    assert seen == ["disconnected", "disconnected"]
    assert RevocationJob.objects.get().state == "revoked"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answer", [Answer(500), Answer(reset=True), Answer(body=b"x" * 3_000_000)])
def test_a_failing_platform_fails_no_disconnect(
    api: APIClient, owner: User, bank: Bank, answer: Answer
) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/revoke", answer)
    response = api.delete(f"/api/v1/auth/{row.pk}/disconnect")
    assert (response.status_code, response.json()) == (200, {"message": "Provider disconnected"})
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)
    assert RevocationJob.objects.get().state == "pending"
