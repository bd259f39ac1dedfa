"""Problem details, the error format of `/api` wherever an app has none of its own (RFC 9457)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.encoding import escape_uri_path

from connections_project.api.errors import ApiError
from connections_project.middleware.tracing import current_trace_id

CONTENT_TYPE = "application/problem+json"


class ProblemRenderer:
    """Renders errors as problem details; an app derives from it to translate its own errors."""

    def translate(self, exc: Exception) -> ApiError | None:  # noqa: ARG002 (for those derived)
        """Leave every error to the general translation."""
        return None

    def render(self, request: HttpRequest, error: ApiError) -> HttpResponse:
        """Render one error; `errors` is there where fields are to be named."""
        body = _problem(request, error)
        return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE)


def _problem(request: HttpRequest, error: ApiError) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"{settings.PROBLEM_TYPE_BASE_URL}{error.code}",
        "title": error.code.replace("_", " ").title(),
        "status": error.status,
        "detail": error.detail,
        # The path alone: a query may hold a code or a state (RFC 6749, section 4.1.2).
        "instance": escape_uri_path(request.path),
        "trace_id": current_trace_id(),
    }
    if error.fields:
        body["errors"] = [
            {"field": one.field, "code": one.code, "message": one.message} for one in error.fields
        ]
    return body
