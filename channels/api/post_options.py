"""`options` of a post: what a channel is given beside text and picture."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from connections_project.api.fields import Text

LONGEST_OPTION, MOST_OPTIONS = 5000, 32
OPTION_NAME = re.compile(r"[a-z0-9_]{1,64}")


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [
                {"type": "string", "maxLength": LONGEST_OPTION},
                {
                    "type": "object",
                    "additionalProperties": {"type": "string", "maxLength": LONGEST_OPTION},
                },
            ]
        },
        "maxProperties": MOST_OPTIONS,
    }
)
class PostOptions(serializers.Field[Any, Any, Any, Any]):
    """Texts by name, or such objects by a channel's slug; what is null counts as left out."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return {
            name: self._texts(name, value) if isinstance(value, dict) else _option(name, value)
            for name, value in self._object(data).items()
        }

    def to_representation(self, value: Any) -> Any:
        return value

    def _texts(self, slug: str, given: Any) -> dict[str, str]:
        try:
            return {name: _option(name, value) for name, value in self._object(given).items()}
        except ValidationError as error:
            raise ValidationError({slug: error.detail}) from None

    def _object(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise ValidationError("Give an object.", code="invalid")
        if len(data) > MOST_OPTIONS:
            raise ValidationError(f"Give at most {MOST_OPTIONS} options.", code="max_length")
        if not all(OPTION_NAME.fullmatch(name) for name in data):
            raise ValidationError("Names have a-z, 0-9 and _.", code="invalid")
        return {name: value for name, value in data.items() if value is not None}


def _option(name: str, value: Any) -> str:
    try:
        read: str = Text(max_length=LONGEST_OPTION, allow_blank=True).run_validation(value)
    except ValidationError as error:
        raise ValidationError({name: error.detail}) from None
    return read
