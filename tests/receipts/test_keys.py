"""`/.well-known/jwks.json`: what receipts are verified with, also after a change of keys."""

import secrets
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from connections_project.identity.models import User
from connections_project.receipts.keys import signing_key
from tests.receipts.conftest import receipt_of, verified
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

ADDRESS = "/.well-known/jwks.json"


def keys() -> list[dict[str, str]]:
    found: list[dict[str, str]] = Client().get(ADDRESS).json()["keys"]
    return found


def test_a_key_is_described_as_the_rfc_has_it() -> None:
    (key,) = keys()
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert set(key) == {"kty", "crv", "alg", "use", "x", "kid"}


def test_anybody_may_read_and_keep_it_for_a_while() -> None:
    answer = Client().get(ADDRESS)
    assert answer["Content-Type"] == "application/jwk-set+json"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert Client().head(ADDRESS).status_code == 200
    assert Client().post(ADDRESS).status_code == 405


@pytest.mark.django_db
def test_receipts_of_an_earlier_key_stay_verifiable(
    api: APIClient, owner: User, bank: Bank, settings: Any
) -> None:
    connection = connection_of(owner)
    api.delete(f"/api/v1/providers/{connection.pk}")
    before = receipt_of(api, connection)
    old = signing_key().public_key().public_bytes_raw()
    settings.RECEIPT_SIGNING_KEY = secrets.token_bytes(32)
    settings.RECEIPT_PUBLIC_KEYS = [old]
    after = receipt_of(api, connection)
    assert verified(before)["connection_id"] == verified(after)["connection_id"]
    assert len({one["kid"] for one in keys()}) == 2


def test_a_key_named_twice_stands_there_once(settings: Any) -> None:
    settings.RECEIPT_PUBLIC_KEYS = [signing_key().public_key().public_bytes_raw()]
    assert len(keys()) == 1
