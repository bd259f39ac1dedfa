"""Requests are read, and rows rendered, alike in all apps."""

from collections.abc import Iterable
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.request import Request

from connections_project.api.errors import ApiException, FieldError, invalid_field, validation_error
from connections_project.conf.values import parse_boolean

Row = TypeVar("Row")


class PaginationAnswer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField()
    total_pages = serializers.IntegerField()
    has_next = serializers.BooleanField()
    has_prev = serializers.BooleanField()


def serialize_rows(answer: type[serializers.Serializer[Row]], rows: Iterable[Row]) -> list[Any]:
    """Return the rows' fields, without what DRF does for lists that may be written to."""
    one = answer()
    return [one.to_representation(row) for row in rows]


def validated(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the body's fields; unknown ones are left out.

    Raises:
        ValidationError: It names every wrong field.
    """
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def flag(request: Request, name: str) -> bool:
    """Read a boolean of the query, false where absent.

    Raises:
        ApiException: 400 that names it.
    """
    text = request.query_params.get(name)
    try:
        return text is not None and parse_boolean(text)
    except ValueError:
        raise invalid_field(name, code="invalid", message="Give true or false.") from None


def choice(request: Request, name: str, choices: list[str]) -> str | None:
    """Read one of some words from the query; None where it is absent.

    Raises:
        ApiException: 400 that names it.
    """
    text = request.query_params.get(name)
    if text is not None and text not in choices:
        message = f"Give one of {', '.join(choices)}."
        raise invalid_field(name, code="invalid_choice", message=message)
    return text


def required_parameters(request: Request, *names: str) -> list[str]:
    """Read parameters of the query that must be there.

    Raises:
        ApiException: 400 that names every missing one.
    """
    values = [request.query_params.get(name, "") for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        message = "This parameter is required."
        raise ApiException(
            validation_error(*(FieldError(name, "required", message) for name in missing))
        )
    return values
