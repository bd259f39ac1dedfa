"""SCIM's error bodies (RFC 7644, section 3.12).

Every process registers them, and few render one: what makes them is a third of a start, so it is
imported when it is needed.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse

from connections_project.api.errors import ApiError

CONTENT_TYPE = "application/scim+json"


class ScimErrors:
    """The error format of `/scim`."""

    def translate(self, exc: Exception) -> ApiError | None:
        from scim2_models import SCIMException  # Only where a directory calls.

        if isinstance(exc, SCIMException):
            return ApiError(exc.status, exc.scim_type, exc.detail)
        return None

    def render(self, request: HttpRequest, error: ApiError) -> HttpResponse:  # noqa: ARG002
        from scim2_models import Context, Error  # Only where a directory calls.

        written = Error(status=error.status, scim_type=_scim_type(error), detail=error.detail)
        body = written.model_dump(scim_ctx=Context.DEFAULT)
        return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE)


def _scim_type(error: ApiError) -> str | None:
    """Return RFC 7644's word for a 400 or 409; the other statuses have none."""
    if error.status == 400 and error.code == "validation_failed":
        return "invalidSyntax"
    return error.code if error.status in {400, 409} and "_" not in error.code else None
