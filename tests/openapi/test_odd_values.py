"""NUL and whatever else no database stores, in any path and query of the API: never a 500."""

import re
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from connections_project.identity.keys import create_key
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from tests.support.bank import Bank
from tests.support.openapi_document import make_document, operations
from tests.support.provider_rows import connection_of

ODD = ["\x00", "a\x00b", "\ud800", "9" * 30]
DOCUMENT = make_document()
OPERATIONS = [(method, path, one) for method, path, one in operations(DOCUMENT)]


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)


def encoded(odd: str) -> str:
    return quote(odd.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[f"{one[0]} {one[1]}" for one in OPERATIONS]
)
def test_no_operation_fails(
    api: APIClient, owner: User, bank: Bank, method: str, path: str, operation: dict[str, Any]
) -> None:
    connection_of(owner)
    key = create_key(team=owner.own_team, scopes=["social:read"], origin=command_origin(None))
    names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
    whole = re.sub("{[^}]*}", "01a2120c-fa6a-714b-b031-524c651f63d2", path)
    for odd in map(encoded, ODD):
        addresses = [re.sub("{[^}]*}", odd, path), *(f"{whole}?{name}={odd}" for name in names)]
        for address, team in product(addresses, ("", str(owner.own_team.pk), "x")):
            headers = {"X-Team-Id": team} if team else {}
            status = api.generic(method.upper(), address, headers=headers).status_code
            assert status < 500, (address, team)
    assert key.key.pk
