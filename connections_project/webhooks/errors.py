"""Why a notice is refused, and the error formats of the senders."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse, JsonResponse

from connections_project.api.errors import ApiError, error_of_status
from connections_project.api.problems import ProblemRenderer


class RefusedNoticeError(Exception):
    """It is not from the platform, or not in its form, or too old.

    Args:
        code: RFC 8935, section 2.4: `invalid_request`, `invalid_key`, `invalid_issuer`,
            `invalid_audience` or `authentication_failed`.
        description: What is wrong, for whoever reads the platform's dashboard.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code)
        self.code = code
        self.description = description


class KeysUnavailableError(Exception):
    """The platform's public keys can't be had just now, so that it has to send the notice again.

    Args:
        retry_after: Seconds after which that may help.
    """

    def __init__(self, retry_after: int = 0) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class WebhookErrors(ProblemRenderer):
    """Problem details, which Meta and TikTok log by their status alone."""

    def translate(self, exc: Exception) -> ApiError | None:
        match exc:
            case RefusedNoticeError():
                return error_of_status(400, exc.description)
            case KeysUnavailableError():
                headers = {"Retry-After": str(max(exc.retry_after, 1))}
                return replace(error_of_status(503), headers=headers)
        return None


class SecurityEventErrors(WebhookErrors):
    """The answers of a receiver of security event tokens (RFC 8935, sections 2.3 and 2.4)."""

    def translate(self, exc: Exception) -> ApiError | None:
        if isinstance(exc, RefusedNoticeError):
            return ApiError(400, exc.code, exc.description)
        return super().translate(exc)

    def render(self, request: HttpRequest, error: ApiError) -> HttpResponse:  # noqa: ARG002
        code = error.code if error.status == 400 else "invalid_request"
        known = "invalid_request" if code == "validation_failed" else code
        return JsonResponse({"err": known, "description": error.detail}, status=error.status)
