"""What the OpenAPI document says of errors and of every answer's headers."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

MEANINGS = {
    400: "The request is not valid",
    401: "Valid credentials are required",
    403: "Not allowed",
    404: "Not found",
    409: "Conflicts with what is there",
    413: "The body is over 1 MiB",
    415: "The body is not JSON",
    429: "Too many requests; see Retry-After",
    502: "The platform failed",
    503: "Not possible at the moment",
}


class ProblemField(serializers.Serializer[Any]):
    """One wrong field."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    trace_id = serializers.CharField()
    # DRF takes a declared field of this name out of the class, so it hides nothing.
    errors = ProblemField(many=True, required=False)  # type: ignore[assignment]


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Describe the problems that an endpoint may answer with."""
    return {
        (status, "application/problem+json"): OpenApiResponse(Problem, MEANINGS[status])
        for status in sorted(statuses)
    }


PAGE = [
    OpenApiParameter("page", int, description="From 1."),
    OpenApiParameter("limit", int, description="1 to 100, 20 by default."),
]
