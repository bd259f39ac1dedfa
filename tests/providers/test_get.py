"""`GET /providers/{id}` (docs/api.md, "Providers")."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from tests.support.bank import Bank, connect
from tests.support.provider_rows import connection_of

URL = "/api/v1/providers/{}"


def test_it_is_what_the_list_shows(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    answer = api.get(URL.format(row.pk))
    assert answer.status_code == 200
    (listed,) = api.get("/api/v1/providers").json()["connections"]
    assert answer.json() == listed


def test_ids_are_uuid7_lower_case_taken_in_any(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    for spelling in (str(row.pk).upper(), str(row.pk).title()):
        shown = api.get(URL.format(spelling)).json()["id"]
        assert shown == str(row.pk)
    assert UUID(shown).version == 7


@pytest.mark.parametrize(
    "bad", ["nonsense", "1", "{}", "urn:uuid:{}", "{{{}}}", "{}0", "%00", "..%2f", "é" * 36]
)
def test_a_malformed_id_is_a_404(api: APIClient, owner: User, bank: Bank, bad: str) -> None:
    row = connection_of(owner)
    answer = api.get(URL.format(bad.format(row.pk.hex)))
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_id_is_a_full_404_problem(api: APIClient) -> None:
    wanted = uuid7()
    answer = api.get(URL.format(wanted), {"secret": "not to be echoed"})
    assert answer.status_code == 404
    assert answer.json() == {
        "type": "https://api.dashtam.com/errors/not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "Connection not found",
        "instance": f"/api/v1/providers/{wanted}",
        "trace_id": answer["X-Trace-Id"],
    }


@pytest.mark.parametrize("status", ["active", "disconnected"])
def test_somebody_elses_is_a_403(
    owner: User, outsider: User, bank: Bank, sign_in: Callable[[User], APIClient], status: str
) -> None:
    row = connection_of(owner, status=status)
    answer = sign_in(outsider).get(URL.format(row.pk))
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("/forbidden")


def test_other_principals_do_not_see_it(
    owner: User,
    operator: User,
    service_account: User,
    bank: Bank,
    sign_in: Callable[[User], APIClient],
) -> None:
    row = connection_of(owner)
    for user in (operator, service_account):
        assert sign_in(user).get(URL.format(row.pk)).status_code == 403


def test_a_deleted_one_is_a_404_also_to_strangers(
    api: APIClient, owner: User, outsider: User, bank: Bank, sign_in: Callable[[User], APIClient]
) -> None:
    row = connection_of(owner, status="disconnected", deleted_at=timezone.now())
    assert api.get(URL.format(row.pk)).status_code == 404
    assert sign_in(outsider).get(URL.format(row.pk)).status_code == 404


def test_no_credentials_are_a_401_before_any_query(anonymous: APIClient) -> None:
    assert anonymous.get(URL.format(uuid7())).status_code == 401
    assert anonymous.get(URL.format("nonsense")).status_code == 401


def test_a_trailing_slash_is_a_404(api: APIClient, owner: User, bank: Bank) -> None:
    assert api.get(URL.format(connection_of(owner).pk) + "/").status_code == 404


def test_a_valid_traceparent_supplies_the_trace_id(api: APIClient) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    header = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    answer = api.get(URL.format(uuid7()), headers=header)
    assert answer["X-Trace-Id"] == answer.json()["trace_id"] == trace_id
