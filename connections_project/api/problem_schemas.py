"""What the OpenAPI document says of problems: their schema, their statuses, a sample of each."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from connections_project.api.errors import STATUS_CODES, FieldError
from connections_project.api.problems import CONTENT_TYPE

SAMPLE_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

# Apps say some statuses in further words than the general ones (docs/api.md, "Error formats").
STATUSES = {code: status for status, (code, _) in STATUS_CODES.items()} | {
    "invalid_state": 400,
    "authorization_declined": 400,
    "provider_unavailable": 503,
}
# What any endpoint may meet, since a query can hold what no database takes.
WRONG_QUERY = FieldError(
    "q", "invalid_characters", "NUL and lone surrogate characters are not allowed."
)


class ProblemField(serializers.Serializer[Any]):
    """One wrong field of a body or query."""

    field = serializers.CharField(help_text="Its name; `body` where the body as a whole is wrong.")
    code = serializers.CharField(help_text="A word for programs.")
    message = serializers.CharField(help_text="A sentence for people.")


class Problem(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.ChoiceField(
        choices=[f"{settings.PROBLEM_TYPE_BASE_URL}{slug}" for slug in sorted(STATUSES)],
        help_text="Ends with the problem's slug, such as `not_found`.",
    )
    title = serializers.CharField(help_text="The slug in words.")
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField(help_text="What is wrong here, for people.")
    instance = serializers.CharField(help_text="The path of the request, without its query.")
    trace_id = serializers.CharField(help_text="As in `X-Trace-Id`: name it when asking for help.")
    # DRF takes a declared field of this name out of the class, so it hides nothing.
    errors = ProblemField(  # type: ignore[assignment]
        many=True, required=False, help_text="Which fields are wrong, where some are."
    )


def problems(
    slugs: tuple[str, ...], details: Mapping[str, str], wrong: FieldError
) -> dict[tuple[int, str], OpenApiResponse]:
    """Describe the problems that an endpoint may answer with.

    Args:
        details: What a slug means there, where that is more than its general words.
    """
    described = {slug: details.get(slug) or STATUS_CODES[STATUSES[slug]][1] for slug in slugs}
    of_status: dict[int, dict[str, str]] = {}
    for slug, detail in sorted(described.items(), key=lambda one: STATUSES[one[0]]):
        of_status.setdefault(STATUSES[slug], {})[slug] = detail
    return {
        (status, CONTENT_TYPE): _response(status, kinds, wrong)
        for status, kinds in of_status.items()
    }


def _response(status: int, kinds: Mapping[str, str], wrong: FieldError) -> OpenApiResponse:
    words = "\n".join(f"- `{slug}`: {detail}" for slug, detail in kinds.items())
    samples = [
        OpenApiExample(slug, _sample(status, slug, detail, wrong)) for slug, detail in kinds.items()
    ]
    return OpenApiResponse(Problem, words, samples)


def _sample(status: int, slug: str, detail: str, wrong: FieldError) -> dict[str, Any]:
    sample: dict[str, Any] = {
        "type": f"{settings.PROBLEM_TYPE_BASE_URL}{slug}",
        "title": slug.replace("_", " ").title(),
        "status": status,
        "detail": detail,
        "instance": "",  # Filled in by `complete`, which knows the path.
        "trace_id": SAMPLE_TRACE,
    }
    if slug == "validation_failed":
        sample["errors"] = [{"field": wrong.field, "code": wrong.code, "message": wrong.message}]
    return sample
