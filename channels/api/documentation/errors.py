"""What the OpenAPI document says of this app's errors: their schema, and a sample of each."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from channels.api.errors import CODES, code_of, rendered
from connections_project.api.documentation import SAMPLE_ID, endpoint
from connections_project.api.errors import STATUS_CODES, ApiError, FieldError
from connections_project.api.problem_schemas import STATUSES

# Some errors have more than a message.
METAS: Mapping[str, Mapping[str, Any]] = {
    "CONNECTION_HAS_ACTIVE_SCHEDULES": {
        "active_schedules_count": 3,
        "schedule_ids": [f"0198c0de-0000-7000-8000-00000000000{number}" for number in (1, 2, 3)],
    },
    "ALREADY_CONNECTED": {"id": SAMPLE_ID},
}
MEDIA_TYPE = "application/json"


class ErrorItem(serializers.Serializer[Any]):
    """What went wrong."""

    error_code = serializers.ChoiceField(
        choices=sorted({*CODES, *(code_of(slug) for slug, _ in STATUS_CODES.values())}),
        help_text="A word for programs.",
    )
    error_description = serializers.CharField(help_text="A sentence for people.")
    error_severity = serializers.ChoiceField(choices=["error"])
    meta = serializers.DictField(
        required=False, help_text="Further details; `fields` names wrong ones."
    )


class ErrorList(serializers.Serializer[Any]):
    """Errors in the words of the channels' document."""

    # DRF takes a declared field of this name out of the class, so it hides nothing.
    errors = ErrorItem(many=True)  # type: ignore[assignment]


def error_lists(
    names: tuple[str, ...],
    details: Mapping[str, str],
    wrong: FieldError,
    *,
    statuses: Mapping[str, int] = MappingProxyType({}),
) -> dict[tuple[int, str], OpenApiResponse]:
    """Describe the errors that an endpoint may answer with.

    Args:
        names: Our codes, and the slugs of general ones.
        details: What one means there, where that is more than its general words.
        statuses: Where a code has another status there than elsewhere.
    """
    of_status: dict[int, list[ApiError]] = {}
    for name in names:
        status, general = CODES.get(name) or _general(name)
        fields = (wrong,) if name == "validation_failed" else ()
        error = ApiError(status, name, details.get(name, general), fields, meta=METAS.get(name, {}))
        of_status.setdefault(statuses.get(name, status), []).append(error)
    return {(status, MEDIA_TYPE): _response(errors) for status, errors in sorted(of_status.items())}


def _general(slug: str) -> tuple[int, str]:
    return STATUSES[slug], STATUS_CODES[STATUSES[slug]][1]


def _response(errors: list[ApiError]) -> OpenApiResponse:
    words = "\n".join(f"- `{code_of(error.code)}`: {error.detail}" for error in errors)
    samples = [
        OpenApiExample(code_of(error.code), {"errors": [rendered(error)]}) for error in errors
    ]
    return OpenApiResponse(ErrorList, words, samples)


channel_endpoint = partial(endpoint, errors=error_lists)
