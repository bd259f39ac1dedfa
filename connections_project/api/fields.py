"""Fields of bodies that take the JSON type they say, where DRF's own would take its cousins."""

from typing import Any
from urllib.parse import urlsplit

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from connections_project.core.parsing import parse_uuid

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
