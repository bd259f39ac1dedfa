"""The document is valid, whole, and fit to be read."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

from tests.support.openapi_document import METHODS, Reader, error_format, operations

# They show the document, and are no part of it.
OF_THE_DOCUMENT = {"schema", "docs"}
WITH_A_STATE = {
    "complete_connecting",
    "complete_connecting_channel",
    "complete_connecting_social_accounts",
}
WITHOUT_SIGNING_IN = {"login", "refresh_session", "logout", "list_platforms"}


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Return method and path of all that the service answers under /api."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        elif path.startswith("/api") and entry.name not in OF_THE_DOCUMENT:
            template = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
            yield from ((method, template) for method in methods_of(entry))


def methods_of(entry: URLPattern) -> list[str]:
    # Once called, DRF has HEAD among a view's actions too.
    return [one for one in entry.callback.actions if one in METHODS]  # type: ignore[attr-defined]


def test_the_document_is_valid_without_warnings() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=os.devnull)


def test_every_route_is_described_and_nothing_else(reader: Reader) -> None:
    described = [(method, path) for method, path, _ in operations(reader.document)]
    # The forms of these are the platforms' and identity providers' own.
    theirs = ("/api/v1/webhooks/", "/api/v1/global-token-revocation")
    ours = [one for one in routes(get_resolver()) if not one[1].startswith(theirs)]
    assert sorted(described) == sorted(ours)


def test_every_operation_is_worded_for_a_newcomer(reader: Reader) -> None:
    tags = {tag["name"] for tag in reader.document["tags"]}
    for method, path, operation in operations(reader.document):
        assert operation["summary"], (method, path)
        assert len(operation["description"]) > len(operation["summary"]), (method, path)
        assert set(operation["tags"]) <= tags, (method, path)
    ids = Counter(operation["operationId"] for *_, operation in operations(reader.document))
    assert max(ids.values()) == 1


def test_errors_have_the_format_of_their_path(reader: Reader) -> None:
    for method, path, operation in operations(reader.document):
        errors = {
            status: response
            for status, response in operation["responses"].items()
            if status >= "400"
        }
        assert {"400", "500", "503"} <= set(errors), (method, path)
        for response in errors.values():
            media_type, schema = error_format(path)
            assert list(response["content"]) == [media_type]
            result = response["content"][media_type]["schema"]
            assert result == {"$ref": f"#/components/schemas/{schema}"}


def test_operations_with_a_body_describe_400(reader: Reader) -> None:
    with_body = [one for one in operations(reader.document) if "requestBody" in one[2]]
    assert len(with_body) == 15
    for method, path, operation in with_body:
        assert {"413", "415"} <= set(operation["responses"]), (method, path)


def test_security_is_declared_where_needed(reader: Reader) -> None:
    for method, path, operation in operations(reader.document):
        expected: Any = [{"bearer": []}]
        if "/social/" in path:
            expected.append({"apiKey": [], "teamId": []})
        if operation["operationId"] in WITH_A_STATE:
            expected.append({})
        if operation["operationId"] in WITHOUT_SIGNING_IN:
            expected = []
        assert operation["security"] == expected, (method, path)


def test_only_one_endpoint_answers_403_for_401(reader: Reader) -> None:
    without = {
        operation["operationId"]
        for *_, operation in operations(reader.document)
        if "401" not in operation["responses"]
    }
    assert without == {"disconnect_connection", "list_platforms"}


def test_limited_operations_describe_429(reader: Reader) -> None:
    for method, path, operation in operations(reader.document):
        is_limited = "x-rate-limit" in operation
        assert is_limited == (operation["operationId"] not in WITHOUT_SIGNING_IN), (method, path)
        for status, response in operation["responses"].items():
            shows_bucket = is_limited or status in {"401", "429"}
            assert ("X-RateLimit-Limit" in response["headers"]) is shows_bucket
            assert "X-Trace-Id" in response["headers"]
            assert ("Retry-After" in response["headers"]) == (status in {"429", "503"})
        if is_limited or operation["operationId"] == "login":
            assert "Retry-After" in operation["responses"]["429"]["headers"]


def media_types(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from holder.get("content", {}).values()


def test_every_body_has_a_valid_example(reader: Reader) -> None:
    for method, path, operation in operations(reader.document):
        for media_type in media_types(operation):
            assert media_type["examples"], (method, path)
            for example in media_type["examples"].values():
                reader.check_body(example["value"], media_type["schema"])


@pytest.mark.parametrize("accept", ["application/json", "application/vnd.oai.openapi"])
def test_the_document_is_served_to_everybody(anonymous: Any, accept: str) -> None:
    answer = anonymous.get("/api/schema", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(accept)


def test_generators_are_told_all(reader: Reader) -> None:
    schemas = reader.document["components"]["schemas"]
    assert all("security" in operation for _, _, operation in operations(reader.document))
    fields = [field for one in schemas.values() for field in one.get("properties", {}).values()]
    assert not [field for field in fields if "default" in field]
    for schema, name in (
        ("ErrorItem", "error_code"),
        ("SocialError", "error"),
        ("Problem", "type"),
    ):
        choices = schemas[schema]["properties"][name]["allOf"][0]["$ref"].rpartition("/")[2]
        assert len(schemas[choices]["enum"]) > 12
