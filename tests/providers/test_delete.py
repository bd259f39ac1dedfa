"""`DELETE /providers/{id}`: disconnect first, delete from sight then (docs/api.md, "Providers")."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from providers.models import Account, Connection, Transaction
from tests.support.bank import Bank, connect
from tests.support.provider_rows import connection_of, events


def delete(api: APIClient, connection_id: object) -> Any:
    return api.delete(f"/api/v1/providers/{connection_id}")


def test_the_first_deletion_only_disconnects(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    answer = delete(api, row.pk)
    assert (answer.status_code, answer.content) == (204, b"")
    row.refresh_from_db()
    assert (row.status, row.auth_state, row.deleted_at) == ("disconnected", None, None)
    (listed,) = api.get("/api/v1/providers").json()["connections"]
    assert (listed["status"], listed["is_connected"]) == ("disconnected", False)
    assert len(events("provider_disconnected")) == 1
    assert events("provider_deleted") == []


def test_the_second_one_deletes_it_from_sight(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    answers = [delete(api, row.pk) for _ in range(3)]
    assert [one.status_code for one in answers] == [204, 204, 404]
    assert api.get("/api/v1/providers").json()["total_count"] == 0
    assert api.get(f"/api/v1/providers/{row.pk}").status_code == 404
    assert len(events("provider_disconnected")) == len(events("provider_deleted")) == 1


def test_the_walk_of_the_older_document(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    url = f"/api/v1/providers/{row.pk}"
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    assert api.get(url).json()["is_connected"] is False
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


def test_row_accounts_transactions_and_audit_stay(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    api.post("/api/v1/accounts/syncs", {"connection_id": str(row.pk)}, format="json")
    delete(api, row.pk)
    delete(api, row.pk)
    row.refresh_from_db()
    assert row.deleted_at is not None
    assert Account.objects.filter(connection=row).count() == 1
    assert Transaction.objects.filter(account__connection=row).count() == 1
    assert len(events("provider_connected")) == 1


def test_after_a_deletion_every_call_on_it_is_a_404(
    api: APIClient, owner: User, bank: Bank
) -> None:
    row = connection_of(owner, status="disconnected", deleted_at=timezone.now())
    url, body = f"/api/v1/providers/{row.pk}", {"connection_id": str(row.pk)}
    answers = [
        api.get(url),
        api.patch(url, {"alias": "x"}, format="json"),
        api.delete(url),
        api.delete(f"/api/v1/auth/{row.pk}/disconnect"),
        api.post(f"{url}/token-refreshes", {}, format="json"),
        api.post("/api/v1/accounts/syncs", body, format="json"),
        api.get("/api/v1/accounts", body),
        api.post("/api/v1/providers", {"provider_slug": "bank", **body}, format="json"),
    ]
    assert [one.status_code for one in answers] == [404] * len(answers)


def test_the_deletion_is_audited(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner, status="disconnected")
    answer = delete(api, row.pk)
    (event,) = events("provider_deleted")
    assert (event.subject_id, event.actor_id) == (row.pk, owner.pk)
    assert event.trace_id == answer["X-Trace-Id"]


def test_somebody_elses_is_a_403_and_stays_as_it_is(
    owner: User, outsider: User, bank: Bank, sign_in: Callable[[User], APIClient]
) -> None:
    for status in ("active", "disconnected"):
        row = connection_of(owner, status=status)
        assert delete(sign_in(outsider), row.pk).status_code == 403
        row.refresh_from_db()
        assert (row.status, row.deleted_at) == (status, None)


def test_unknown_and_malformed_are_404(api: APIClient) -> None:
    assert delete(api, uuid7()).status_code == 404
    assert delete(api, "nonsense").status_code == 404


def test_no_credentials_are_a_401(anonymous: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    assert delete(anonymous, row.pk).status_code == 401
    assert Connection.objects.get().status == "active"


def test_reconnecting_the_account_makes_a_new_row(api: APIClient, bank: Bank) -> None:
    first = connect(api)
    delete(api, first.pk)
    second = connect(api)
    assert second.pk != first.pk
    assert second.status == "active"
