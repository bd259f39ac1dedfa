"""The OpenAPI document as tests read it: strictly, so that an extra field is a fault too."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from urllib.parse import urlsplit

from drf_spectacular.generators import SchemaGenerator
from jsonschema import (  # type: ignore[import-untyped]
    Draft202012Validator,
    FormatChecker,
)

METHODS = ("get", "post", "put", "patch", "delete")
# Of all headers these are the ones that the document speaks of.
SIGNIFICANT = re.compile(
    r"x-trace-id|x-ratelimit-.*|retry-after|www-authenticate|link", re.IGNORECASE
)

FORMATS = FormatChecker(())
PATTERNS = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
}


def has_form(text: object, pattern: str) -> bool:
    return not isinstance(text, str) or re.fullmatch(pattern, text) is not None


FORMATS.checks("uuid")(lambda text: has_form(text, PATTERNS["uuid"]))
FORMATS.checks("date-time")(lambda text: has_form(text, PATTERNS["date-time"]))
FORMATS.checks("uri")(lambda text: not isinstance(text, str) or bool(urlsplit(text).netloc))
FORMATS.checks("decimal", InvalidOperation)(lambda text: Decimal(str(text)).is_finite())


# Which paths have errors in another format than problem details: media type, schema.
ERROR_FORMATS = {
    "/api/v1/channels": ("application/json", "ErrorList"),
    "/api/v1/schedules": ("application/json", "ErrorList"),
    "/api/v1/plugin": ("application/json", "SocialError"),
}


def error_format(path: str) -> tuple[str, str]:
    """Return the media type of a path's errors, and their schema."""
    found = [prefix for prefix in ERROR_FORMATS if f"{path}/".startswith(f"{prefix}/")]
    return ERROR_FORMATS[found[0]] if found else ("application/problem+json", "Problem")


def error_code(body: Any) -> str:
    """Read the word for programs out of an error of any format."""
    if "errors" in body and "type" not in body:
        return str(body["errors"][0]["error_code"])
    return str(body.get("type") or body["error"])


def make_document() -> dict[str, Any]:
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    return cast("dict[str, Any]", generator.get_schema(request=None, public=True))


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return each operation with its method, in lower case, and its path."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def as_json_schema(node: Any) -> Any:
    """Turn OpenAPI 3.0's dialect into JSON Schema, and close every object to further fields."""
    if isinstance(node, list):
        return [as_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: as_json_schema(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        made["additionalProperties"] = False
    if made.pop("nullable", False) is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made


class Reader:
    """Holds bodies and headers against the document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._components = {"schemas": as_json_schema(document["components"]["schemas"])}

    def check_body(self, body: Any, schema: Mapping[str, Any]) -> None:
        """Hold a body against a schema of the document; raises ValidationError."""
        whole = as_json_schema(schema) | {"components": self._components}
        Draft202012Validator(whole, format_checker=FORMATS).validate(body)

    def check_error(self, body: Any, path: str) -> None:
        """Hold an error against the format of its path."""
        self.check_body(body, {"$ref": f"#/components/schemas/{error_format(path)[1]}"})

    def response(self, method: str, path: str, status: int) -> dict[str, Any]:
        responses = self.document["paths"][path][method]["responses"]
        assert str(status) in responses, f"{status} of {method} {path} is not described"
        return cast("dict[str, Any]", responses[str(status)])

    def check_headers(self, sent: Mapping[str, str], described: Mapping[str, Any]) -> None:
        """See that what is required is there, and that nothing there goes unsaid."""
        names = {name.lower() for name in described}
        assert {name.lower() for name in sent if SIGNIFICANT.fullmatch(name)} <= names
        for name, header in described.items():
            schema = self._header(header)
            if schema.get("required"):
                assert name in sent
            if name in sent:
                is_number = schema["schema"]["type"] == "integer"
                value = int(sent[name]) if is_number else sent[name]
                self.check_body(value, schema["schema"])

    def _header(self, header: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in header:
            return header
        name = header["$ref"].rsplit("/", 1)[1]
        return cast("Mapping[str, Any]", self.document["components"]["headers"][name])
