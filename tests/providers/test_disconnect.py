"""`DELETE /auth/{id}/disconnect` (docs/api.md, "Providers" and "Deviations")."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.core.vault import Sealed
from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.support.bank import Bank, connect
from tests.support.provider_rows import connection_of, events


def disconnect(api: APIClient, connection_id: object) -> Any:
    return api.delete(f"/api/v1/auth/{connection_id}/disconnect")


def assert_disconnected(row: Connection) -> None:
    row.refresh_from_db()
    assert row.status == "disconnected"
    assert row.disconnected_at is not None
    assert (row.auth_state, row.has_refresh_token) == (None, False)
    assert (row.token_expires_at, row.grant_expires_at) == (None, None)


def test_it_answers_as_documented_and_erases_tokens(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    answer = disconnect(api, row.pk)
    assert (answer.status_code, answer.json()) == (200, {"message": "Provider disconnected"})
    assert_disconnected(row)
    shown = api.get(f"/api/v1/providers/{row.pk}").json()
    assert (shown["status"], shown["is_connected"]) == ("disconnected", False)
    assert shown["needs_reauthentication"] is False


def test_repeating_it_changes_nothing(api: APIClient, row: Connection) -> None:
    first = disconnect(api, row.pk)
    row.refresh_from_db()
    before = (row.disconnected_at, row.epoch, row.updated_at)
    again = disconnect(api, row.pk)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    row.refresh_from_db()
    assert (row.disconnected_at, row.epoch, row.updated_at) == before
    assert len(events("provider_disconnected")) == 1
    assert RevocationJob.objects.count() == 1


def test_one_event_records_who_when_where_and_tokens(
    api: APIClient, row: Connection, owner: User
) -> None:
    answer = disconnect(api, row.pk)
    (event,) = events("provider_disconnected")
    assert (event.subject_type, event.subject_id) == ("providers.connection", row.pk)
    assert (event.subject_owner_id, event.actor_id) == (owner.pk, owner.pk)
    assert (event.actor_type, event.interface, event.outcome) == ("user", "api", "success")
    assert (event.client_address, event.trace_id) == ("127.0.0.1", answer["X-Trace-Id"])
    assert event.details == {
        "platform": "bank",
        "credentials_erased": True,
        "revocation": "pending",
    }


@pytest.mark.parametrize("status", ["pending", "active", "expired", "revoked", "failed"])
def test_any_status_leads_to_disconnected(
    api: APIClient, owner: User, bank: Bank, status: str
) -> None:
    row = connection_of(owner, status=status)
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)
    assert not GrantHold.objects.exists()


def test_an_unreadable_ciphertext_changes_nothing(api: APIClient, row: Connection) -> None:
    Connection.objects.update(auth_state=Sealed("no ciphertext at all"))
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)
    # The job has it as it stood: a key may turn up yet.
    assert RevocationJob.objects.get().sealed_tokens == Sealed("no ciphertext at all")


def test_a_missing_key_changes_nothing(
    api: APIClient, row: Connection, settings: LazySettings
) -> None:
    settings.CREDENTIAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)


def test_a_removed_platform_still_disconnects(
    api: APIClient, row: Connection, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue("")
    answer = disconnect(api, row.pk)
    assert answer.status_code == 200
    assert "Link" not in answer
    assert_disconnected(row)
    assert not RevocationJob.objects.exists()
    (event,) = events("provider_disconnected")
    assert event.details["revocation"] == "not_supported"


def test_a_suspended_platform_changes_nothing(api: APIClient, row: Connection) -> None:
    Suspension.objects.create(slug="bank", reason="broken", suspended_at=timezone.now())
    assert disconnect(api, row.pk).status_code == 200
    assert_disconnected(row)


def without_revocation(bank: Bank) -> str:
    return bank.catalogue().split("[providers.bank.revocation]")[0]


def test_a_link_to_help_where_nothing_can_be_revoked(
    api: APIClient, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(without_revocation(bank), "bank")
    row = connect(api)
    expected = '<https://bank.example.com/apps>; rel="help"'
    for _ in range(2):
        assert disconnect(api, row.pk)["Link"] == expected
    assert api.delete(f"/api/v1/providers/{row.pk}")["Link"] == expected
    assert not RevocationJob.objects.exists()


def test_too_wide_a_revocation_gives_a_help_link(
    api: APIClient, bank: Bank, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(bank.catalogue(revocation='blast_radius = "client"'), "bank")
    row = connect(api)
    assert "Link" in disconnect(api, row.pk)
    assert not RevocationJob.objects.exists()


def test_no_link_where_tokens_can_be_revoked(api: APIClient, row: Connection) -> None:
    assert "Link" not in disconnect(api, row.pk)


def test_ids_are_taken_in_any_case(api: APIClient, row: Connection) -> None:
    assert disconnect(api, str(row.pk).upper()).status_code == 200
    assert_disconnected(row)


def test_somebody_elses_is_a_404(
    outsider: User, row: Connection, sign_in: Callable[[User], APIClient]
) -> None:
    answer = disconnect(sign_in(outsider), row.pk)
    assert answer.status_code == 404
    row.refresh_from_db()
    assert row.status == "active"


def test_unknown_malformed_and_deleted_are_404(api: APIClient, owner: User, bank: Bank) -> None:
    gone = connection_of(owner, status="disconnected", deleted_at=timezone.now())
    bodies = [disconnect(api, one) for one in (uuid7(), "nonsense", "%00", gone.pk)]
    assert [one.status_code for one in bodies] == [404] * 4
    assert {one.json()["type"] for one in bodies} == {"https://api.dashtam.com/errors/not_found"}


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic eDp5", "Bearer"])
def test_without_credentials_it_is_a_403_problem(
    anonymous: APIClient, row: Connection, header: str | None
) -> None:
    headers = {"Authorization": header} if header else {}
    answer = anonymous.delete(f"/api/v1/auth/{row.pk}/disconnect", headers=headers)
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" not in answer
    row.refresh_from_db()
    assert row.status == "active"


def test_a_service_account_disconnects_only_its_own(
    service_account: User, row: Connection, sign_in: Callable[[User], APIClient]
) -> None:
    robot = sign_in(service_account)
    own = connection_of(service_account, account_id="robot")
    assert disconnect(robot, own.pk).status_code == 200
    assert disconnect(robot, row.pk).status_code == 404
    (event,) = events("provider_disconnected")
    assert (event.actor_type, event.actor_id) == ("service", service_account.pk)


def test_other_methods_405_trailing_slash_404(api: APIClient, row: Connection) -> None:
    url = f"/api/v1/auth/{row.pk}/disconnect"
    for method in (api.get, api.post, api.put, api.patch, api.options):
        answer = method(url)
        assert (answer.status_code, answer["Allow"]) == (405, "DELETE")
    assert api.delete(f"{url}/").status_code == 404


@pytest.mark.parametrize("body", ["{", '"x"', "\x00", '{"force": 7}'])
def test_a_body_is_ignored(api: APIClient, row: Connection, body: str) -> None:
    url = f"/api/v1/auth/{row.pk}/disconnect"
    assert api.delete(url, body, content_type="application/json").status_code == 200
