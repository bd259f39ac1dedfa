"""Every writing call of the API and of SCIM, sent four times at once: nobody gets a 500."""

from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.openapi.test_properties import open_platforms
from tests.races.conftest import at_once
from tests.scim.conftest import PATCH_SCHEMA, USER_SCHEMA, Directory, directory, issuer
from tests.support.api_seeds import Seeds, bearer, seeds_of
from tests.support.issuer import TestIssuer
from tests.support.openapi_document import make_document, operations
from tests.support.platform_server import PlatformServer

__all__ = ["directory", "issuer"]

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

TIMES = 4
REVOCATION = "/api/v1/global-token-revocation"
PERSON = {"schemas": [USER_SCHEMA], "userName": "kim@example.com", "externalId": "kim"}
DEACTIVATE = {"op": "replace", "path": "active", "value": False}
DOCUMENT = make_document()
WRITES = sorted((method, path) for method, path, _ in operations(DOCUMENT) if method != "get")
SAMPLES: dict[str, Any] = {"string": "a text", "boolean": False, "integer": 1, "object": {}}


@pytest.fixture
def seeds(
    owner: User,
    service_account: User,
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    no_limits: None,
) -> Seeds:
    open_platforms(server, use_catalogue)
    return seeds_of(owner, bearer(owner))


def fields_of(schema: Any, seeds: Seeds, path: str) -> dict[str, Any]:
    """Fill what is required and what the caller has."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "oneOf" in schema:
        return fields_of(schema["oneOf"][0], seeds, path)
    required = schema.get("required", [])
    return {
        name: seeds.value(name, path) if name in seeds.fields else SAMPLES[one["type"]]
        for name, one in schema["properties"].items()
        if name in required or name in seeds.fields
    }


def body_of(operation: Any, seeds: Seeds, path: str) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    json = content.get("application/json")
    return fields_of(json["schema"], seeds, path) if json else None


def query_of(operation: Any, seeds: Seeds, path: str) -> str:
    names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    known = [name for name in ("code", "state") if name in names]
    asked = [f"{name}={seeds.value(name, path)}" for name in known]
    return "&".join([*asked, *(f"{name}=true" for name in names if name.startswith("cancel"))])


def clients_with(headers: Any) -> list[APIClient]:
    made = [APIClient(raise_request_exception=False) for _ in range(TIMES)]
    for one in made:
        one.credentials(**{f"HTTP_{name.upper()}": value for name, value in headers.items()})
    return made


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_every_write_many_times_at_once(seeds: Seeds, method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    body, query = body_of(operation, seeds, path), query_of(operation, seeds, path)
    head, has_id, tail = path.partition("{")
    target = f"{head}{seeds.id_in(path)}{tail.partition('}')[2]}" if has_id else path
    call = {"path": f"{target}?{query}", "data": body, "format": "json"}
    call["headers"] = {"Idempotency-Key": "the first"}
    calls = [partial(getattr(one, method), **call) for one in clients_with(seeds.headers)]
    statuses = [answer.status_code for answer in at_once(calls)]
    assert min(statuses) < 300
    assert max(statuses) < 500


def test_a_person_provisioned_many_times_at_once(directory: Directory) -> None:
    answers = at_once([lambda: directory.call("POST", "/Users", PERSON)] * TIMES)
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert {one.json().get("scimType") for one in answers} == {None, "uniqueness"}
    assert User.objects.filter(subject="kim").count() == 1


@pytest.mark.parametrize(
    ("method", "body", "statuses"),
    [
        ("PUT", PERSON | {"userName": "lee@example.com", "active": False}, {200}),
        ("PATCH", {"schemas": [PATCH_SCHEMA], "Operations": [DEACTIVATE]}, {200}),
        ("DELETE", None, {204, 404}),
    ],
)
def test_a_person_changed_many_times_at_once(
    directory: Directory, method: str, body: Any, statuses: set[int]
) -> None:
    person = directory.call("POST", "/Users", PERSON).json()["id"]
    answers = at_once([lambda: directory.call(method, f"/Users/{person}", body)] * TIMES)
    assert {one.status_code for one in answers} == statuses


def test_sessions_revoked_many_times_at_once(directory: Directory, issuer: TestIssuer) -> None:
    directory.call("POST", "/Users", PERSON)
    body = {"sub_id": {"format": "iss_sub", "iss": issuer.url, "sub": "kim"}}
    headers = {"Authorization": f"Bearer {directory.token}"}
    client = APIClient(raise_request_exception=False)
    call = partial(client.post, REVOCATION, body, format="json", headers=headers)
    assert {one.status_code for one in at_once([call] * TIMES)} == {204}
