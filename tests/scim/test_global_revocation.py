"""`POST /api/v1/global-token-revocation`: all ends that a user has, and the user may come back."""

import json
import time
from typing import Any

import pytest
from django.test import Client

from connections_project.operations.offboarding_worker import process_offboardings
from providers.models import Connection
from tests.operations.conftest import platforms, use_platforms
from tests.scim.conftest import Directory, me, principal
from tests.support.bank import Bank
from tests.support.issuer import TestIssuer
from tests.support.provider_rows import connection_of

__all__ = ["platforms", "use_platforms"]


def revoke(token: str, body: Any) -> Any:
    return Client(raise_request_exception=False).post(
        "/api/v1/global-token-revocation",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("named", ["iss_sub", "email"])
def test_sessions_and_connections_end(
    directory: Directory, issuer: TestIssuer, platforms: Bank, named: str
) -> None:
    emails = [{"value": "kim@example.com"}]
    made = directory.create(userName="kim", externalId="kim", emails=emails).json()
    connection_of(principal(made))
    ids = {"iss": issuer.url, "sub": "kim", "email": "Kim@example.com"}
    token = issuer.token(sub="kim")
    answer = revoke(directory.token, {"sub_id": {"format": named, **ids}})
    assert (answer.status_code, answer.content) == (204, b"")
    assert me(token).status_code == 401
    process_offboardings()
    assert not Connection.objects.filter(disconnected_at=None).exists()
    assert me(issuer.token(sub="kim", iat=int(time.time()) + 2)).status_code == 200


def test_tokens_of_an_issuer_ahead_end_too(directory: Directory, issuer: TestIssuer) -> None:
    directory.create(userName="kim", externalId="kim")
    old = issuer.token(sub="kim", iat=time.time() + 25)
    assert me(old).status_code == 200
    kim = {"format": "iss_sub", "iss": issuer.url, "sub": "kim"}
    assert revoke(directory.token, {"sub_id": kim}).status_code == 204
    assert me(old).status_code == 401
    assert me(issuer.token(sub="kim", iat=time.time() + 25)).status_code == 200


def test_nobody_is_404_and_nonsense_400(directory: Directory, issuer: TestIssuer) -> None:
    nobody = {"format": "iss_sub", "iss": issuer.url, "sub": "nobody"}
    assert revoke(directory.token, {"sub_id": nobody}).status_code == 404
    odd = ({"format": "opaque", "id": "kim"}, {"format": [], "user": nobody}, {"format": "email"})
    for sub_id in (None, "kim", {}, *odd):
        answer = revoke(directory.token, {"sub_id": sub_id})
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"][0]["field"] == "sub_id"


def test_only_a_directory_may(directory: Directory, issuer: TestIssuer) -> None:
    answer = revoke(issuer.token(), {"sub_id": {"format": "email", "email": "kim@example.com"}})
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
