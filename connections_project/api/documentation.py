"""What the OpenAPI document says of an endpoint: its answers, its problems, its rate limit."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers

from connections_project.api.errors import FieldError
from connections_project.api.problem_schemas import WRONG_QUERY, problems
from connections_project.api.rate_limits import Policy

# What stands for any id in the examples: the one of the source document.
SAMPLE_ID = "550e8400-e29b-41d4-a716-446655440000"

# Any call may meet these: a query that no database takes, a defect, a database that is away.
ALWAYS = ("validation_failed", "internal_error", "service_unavailable")
WITH_BODY = ("payload_too_large", "unsupported_media_type")
WRONG_PAGE = FieldError("limit", "invalid", "Give a whole number from 1 to 100.")

LIMIT_EXTENSION = "x-rate-limit"

PAGE = [
    OpenApiParameter("page", {"type": "integer", "minimum": 1, "default": 1}),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
]

F = TypeVar("F", bound=Callable[..., Any])
# Takes the slugs, what one means at this endpoint, and the sample's wrong field.
Errors = Callable[
    [tuple[str, ...], Mapping[str, str], FieldError], Mapping[tuple[int, str], OpenApiResponse]
]


def endpoint(
    operation_id: str,
    *,
    description: str,
    request: type[serializers.Serializer[Any]] | PolymorphicProxySerializer | None = None,
    answers: Mapping[int, OpenApiResponse],
    refusals: tuple[str, ...] = (),
    details: Mapping[str, str] | None = None,
    wrong: FieldError = WRONG_QUERY,
    limit: Policy | None = None,
    errors: Errors = problems,
    **more: Any,
) -> Callable[[F], F]:
    """Return the decorator that documents an endpoint.

    Args:
        operation_id: A verb and what it is done to, unique in the document.
        description: What a newcomer must know, in Markdown.
        request: The body that it takes, or one of several.
        answers: What it answers where all is well, by status.
        refusals: Slugs of its problems, besides those that every endpoint has.
        details: What a slug means at this endpoint, where that is more than its general words.
        wrong: The field that is wrong in the example of `validation_failed`.
        errors: Describes refusals in the path's own format.
        more: Further arguments of drf-spectacular's `extend_schema`.
    """
    if isinstance(request, type):
        _name_component(request)
    slugs = (*ALWAYS, *refusals, *(("rate_limit_exceeded",) if limit else ()))
    return extend_schema(
        operation_id=operation_id,
        description=f"{description}\n\n{_in_words(limit)}" if limit else description,
        request=request,
        responses={**answers, **errors(slugs, details or {}, wrong)},
        extensions={LIMIT_EXTENSION: limit.name} if limit else {},
        **more,
    )


def _name_component(request: type[serializers.Serializer[Any]]) -> None:
    # drf-spectacular adds the suffix "Request" by itself.
    name = request.__name__.removesuffix("Serializer").removesuffix("Request")
    extend_schema_serializer(component_name=name)(request)


def answer(
    words: str, body: type[serializers.BaseSerializer[Any]] | None = None, **examples: Any
) -> OpenApiResponse:
    """Describe an answer in words, by its body, and by examples of it."""
    if body is not None:
        # Lists stand in an object; drf-spectacular would make an array of what an action "list"
        # answers with.
        extend_schema_serializer(many=False)(body)
    return OpenApiResponse(
        body, words, [OpenApiExample(name, value) for name, value in examples.items()]
    )


def asked(value: Any, name: str = "example") -> OpenApiExample:
    """Return the example of a request's body."""
    return OpenApiExample(name, value, request_only=True)


def sample_page(row: dict[str, Any]) -> dict[str, Any]:
    """Return the sample of a page that has one row."""
    whole = {"page": 1, "limit": 20, "total": 1, "total_pages": 1}
    return {"data": [row], "pagination": {**whole, "has_next": False, "has_prev": False}}


def _in_words(limit: Policy) -> str:
    return (
        f"Rate limit `{limit.name}`: {limit.burst} calls at once, "
        f"{limit.per_minute} more with every minute."
    )
