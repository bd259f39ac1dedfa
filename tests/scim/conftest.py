"""A directory with its token, and SCIM as it calls it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.scim.tokens import create_token
from tests.support.issuer import TestIssuer
from tests.support.platform_server import PlatformServer

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Directory:
    """What calls SCIM with an issuer's token."""

    token: str
    base: str = "/scim/v2"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = "" if body is None else json.dumps(body)
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return Client(raise_request_exception=False).generic(
            method, f"{self.base}{path}", content, content_type="application/scim+json",
            headers=sent,
        )  # fmt: skip

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def create(self, **attributes: Any) -> Any:
        attributes.setdefault("userName", "kim@example.com")
        return self.call("POST", "/Users", {"schemas": [USER_SCHEMA], **attributes})

    def patch(self, user_id: str, *operations: dict[str, Any]) -> Any:
        body = {"schemas": [PATCH_SCHEMA], "Operations": list(operations)}
        return self.call("PATCH", f"/Users/{user_id}", body)


@pytest.fixture
def issuer(server: PlatformServer, settings: LazySettings) -> TestIssuer:
    made = TestIssuer(server)
    settings.IDENTITY = made.settings()
    return made


@pytest.fixture
def directory(db: None, issuer: TestIssuer) -> Directory:
    return Directory(create_token(name="hr", issuer="main", origin=command_origin(None)).text)


def me(token: str) -> Any:
    """Ask who one is, by a token of the issuer's."""
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def principal(resource: Any) -> User:
    """Return the principal of an answer's resource."""
    return User.objects.get(pk=resource["id"])
