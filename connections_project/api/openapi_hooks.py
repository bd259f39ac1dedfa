"""The last touch on the OpenAPI document: the headers of every answer, the paths of problems."""

import json
import re
from typing import Any

from connections_project.api.documentation import LIMIT_EXTENSION, SAMPLE_ID

_ID = re.compile(r"\{\w*id\}", re.IGNORECASE)
WHOLE_NUMBER = {"type": "integer", "minimum": 0}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Trace-Id": {
        "description": "Also in problems, in the logs and in the audit log.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "X-RateLimit-Limit": {"description": "What the bucket holds.", "schema": WHOLE_NUMBER},
    "X-RateLimit-Remaining": {"description": "What is left in it.", "schema": WHOLE_NUMBER},
    "X-RateLimit-Reset": {
        "description": "When it is full again, in seconds since 1970.",
        "schema": WHOLE_NUMBER,
    },
    "Retry-After": {
        "description": "Seconds until the next call is allowed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to sign in (RFC 6750, section 3).",
        "required": True,
        "schema": {"type": "string"},
    },
}
OF_LIMIT = [name for name in HEADERS if name.startswith("X-RateLimit")]
# What is refused for want of credentials has a limit, whatever else the call has.
OF_STATUS = {
    "401": ["WWW-Authenticate", *OF_LIMIT],
    "429": ["Retry-After", *OF_LIMIT],
    "503": ["Retry-After"],
}


Endpoint = tuple[str, str, str, Any]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def in_order(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Put each route's methods in one order: DRF keeps them in a set, which has none."""
    routes = {path: index for index, (path, *_) in reversed(list(enumerate(endpoints)))}
    return sorted(endpoints, key=lambda each: (routes[each[0]], METHODS.index(each[2])))


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Complete what drf-spectacular has made (one of its POSTPROCESSING_HOOKS)."""
    result["components"]["headers"] = HEADERS
    _tell_defaults(result["components"]["schemas"])
    for path, operations in result["paths"].items():
        for operation in operations.values():
            # Said, since generators take an absent one for a general rule, which there is not.
            operation.setdefault("security", [])
            _require_choice(operation, result["components"]["schemas"])
            for status, response in operation["responses"].items():
                names = _headers(status, is_limited=LIMIT_EXTENSION in operation)
                response["headers"] = response.get("headers", {}) | {
                    name: {"$ref": f"#/components/headers/{name}"} for name in names
                }
                _fill_in(path, response)
    return result


def _tell_defaults(schemas: dict[str, Any]) -> None:
    """Tell defaults in words: generators make a field with a default one that must be given."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            if "default" in field:
                default = json.dumps(field.pop("default"))
                field["description"] = f"{field.get('description', '')} Default: {default}.".strip()


def _require_choice(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Mark a body that must be one of several as required."""
    body = operation.get("requestBody", {})
    for content in body.get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        if "oneOf" in schemas.get(name, {}):
            body["required"] = True


def _headers(status: str, *, is_limited: bool) -> list[str]:
    names = ["X-Trace-Id", *OF_STATUS.get(status, []), *(OF_LIMIT if is_limited else [])]
    return list(dict.fromkeys(names))


def _fill_in(path: str, response: dict[str, Any]) -> None:
    """Set the `instance` of each problem's sample to the path at which it may occur."""
    for content in response.get("content", {}).values():
        for example in content.get("examples", {}).values():
            if "instance" in example["value"]:
                example["value"]["instance"] = _ID.sub(SAMPLE_ID, path)
