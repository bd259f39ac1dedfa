"""Fields of bodies that take the JSON type they say, where DRF's own would take its cousins."""

from typing import Any
from urllib.parse import urlsplit

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from connections_project.core.parsing import parse_uuid

# How many elements of an array are named that are wrong.
MOST_ERRORS = 20
NO_IDENTIFIER = "Give an id (UUID)."


class Text(serializers.CharField):
    """A JSON string: DRF alone would take a number for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """A JSON boolean: DRF alone would take "yes" or 1 for one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Several(serializers.ListField):
    """A JSON array of a bounded length.

    DRF alone would validate every element, and answer with an error for each, before it looks at
    the length.
    """

    def __init__(self, *, max_length: int, **more: Any) -> None:
        super().__init__(max_length=max_length, **more)
        self.most = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.most:
            self.fail("max_length", max_length=self.most)
        return super().to_internal_value(data)

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        """Validate the elements, up to the first few that are wrong."""
        found: list[Any] = []
        errors: dict[str, Any] = {}
        for index, one in enumerate(data):
            try:
                found.append(self.child.run_validation(one))
            except ValidationError as error:
                errors[str(index)] = error.detail
            if len(errors) == MOST_ERRORS:
                break
        if errors:
            raise ValidationError(errors)
        return found


@extend_schema_field({"type": "string", "format": "uuid"})
class Reference(Text):
    """An id in a body; each app says by its own error what a malformed one is."""


def identifier(text: str) -> None:
    """Validate the form of an id, for apps whose error of a malformed one is that of any field."""
    if parse_uuid(text) is None:
        raise ValidationError(NO_IDENTIFIER, code="invalid")


def https_address(text: str) -> None:
    """Validate that an address can be passed on to a platform; nothing is fetched from it here."""
    try:
        address = urlsplit(text)
        known = address.scheme == "https" and bool(address.hostname) and address.port != 0
    except ValueError:
        known = False
    if not known or not text.isprintable() or " " in text:
        raise ValidationError("Give an https address.", code="invalid")


def filled(text: str) -> None:
    if not text.strip():
        raise ValidationError("This field may not be blank.", code="blank")
