"""Problem details, the error format of `/api` wherever an app has none of its own (RFC 9457)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.encoding import escape_uri_path

from connections_project.api.errors import ApiError
from connections_project.middleware.tracing import current_trace_id

CONTENT_TYPE = "application/problem+json"


class ProblemRenderer:
    """Renders faults as problem details; an app derives from it to translate its own errors."""

    def translate(self, exc: Exception) -> ApiError | None:  # noqa: ARG002 (for those derived)
        """Leave every error to the general translation."""
        return None

    def render(self, request: HttpRequest, fault: ApiError) -> HttpResponse:
        """Render one fault; `errors` is there where fields are to be named."""
        body = _problem(request, fault)
        return JsonResponse(body, status=fault.status, content_type=CONTENT_TYPE)


def _problem(request: HttpRequest, fault: ApiError) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"{settings.PROBLEM_TYPE_BASE_URL}{fault.code}",
        "title": fault.code.replace("_", " ").title(),
        "status": fault.status,
        "detail": fault.detail,
        # The path alone: a query may hold a code or a state (RFC 6749, section 4.1.2).
        "instance": escape_uri_path(request.path),
        "trace_id": current_trace_id(),
    }
    if fault.fields:
        body["errors"] = [
            {"field": one.field, "code": one.code, "message": one.message} for one in fault.fields
        ]
    return body
