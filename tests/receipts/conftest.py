"""Receipts as their readers take them: verified with what stands at /.well-known/jwks.json."""

from typing import Any

import jwt
from rest_framework.test import APIClient

from connections_project.connections.models import OAuthConnection


def asked(api: APIClient, connection: OAuthConnection) -> Any:
    return api.get(f"/api/v1/receipts/{connection.pk}")


def receipt_of(api: APIClient, connection: OAuthConnection) -> str:
    answer = asked(api, connection)
    assert answer.status_code == 200, answer.content
    assert list(answer.json()) == ["receipt"]
    receipt: str = answer.json()["receipt"]
    return receipt


def claims_of(api: APIClient, connection: OAuthConnection) -> dict[str, Any]:
    return verified(receipt_of(api, connection))


def verified(receipt: str) -> dict[str, Any]:
    """Read a receipt as somebody else would, with the published key that it names."""
    published = jwt.PyJWKSet.from_dict(APIClient().get("/.well-known/jwks.json").json())
    kid = jwt.get_unverified_header(receipt)["kid"]
    (key,) = (one for one in published.keys if one.key_id == kid)
    claims: dict[str, Any] = jwt.decode(receipt, key.key, algorithms=["EdDSA"])
    return claims


def state(api: APIClient, connection: OAuthConnection) -> str:
    return str(claims_of(api, connection)["revocation"]["state"])
