"""What the OpenAPI document says of this app's errors: their schema, and a sample of each."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from connections_project.api.documentation import endpoint
from connections_project.api.errors import STATUS_CODES, ApiError, FieldError
from connections_project.api.problem_schemas import STATUSES
from social.api.errors import GENERAL, OWN, body

MEDIA_TYPE = "application/json"


class SocialErrorField(serializers.Serializer[Any]):
    """One wrong field of a body, query or header."""

    field = serializers.CharField(help_text="Its name; `body` where the body as a whole is wrong.")
    code = serializers.CharField(help_text="A word for programs.")
    message = serializers.CharField(help_text="A sentence for people.")


class SocialError(serializers.Serializer[Any]):
    """An error in the words of the social accounts' document."""

    error = serializers.ChoiceField(
        choices=sorted({*GENERAL.values(), *OWN}),
        help_text="What went wrong, always in the same words.",
    )
    message = serializers.CharField(help_text="A sentence for people.")
    details = SocialErrorField(
        many=True, required=False, help_text="Which fields are wrong, where some are."
    )


def social_errors(
    names: tuple[str, ...], details: Mapping[str, str], wrong: FieldError
) -> dict[tuple[int, str], OpenApiResponse]:
    """Describe the errors that an endpoint may answer with.

    Args:
        names: Our own errors, and the slugs of general ones.
        details: What one means there, where that is more than its general words.
    """
    of_status: dict[int, list[ApiError]] = {}
    for name in names:
        status, general = OWN.get(name) or (STATUSES[name], STATUS_CODES[STATUSES[name]][1])
        fields = (wrong,) if name == "validation_failed" else ()
        error = ApiError(status, name, details.get(name, general), fields)
        of_status.setdefault(status, []).append(error)
    return {(status, MEDIA_TYPE): _response(errors) for status, errors in sorted(of_status.items())}


def _response(errors: list[ApiError]) -> OpenApiResponse:
    bodies = [body(error) for error in errors]
    words = "\n".join(f"- `{one['error']}`: {one['message']}" for one in bodies)
    samples = [OpenApiExample(one["error"], one) for one in bodies]
    return OpenApiResponse(SocialError, words, samples)


social_endpoint = partial(endpoint, errors=social_errors)
