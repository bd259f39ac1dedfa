"""The base of all API views."""

from typing import Any, ClassVar

from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    PermissionDenied,
)
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from connections_project.api.errors import ApiError, ApiException
from connections_project.api.parsers import (
    UNSTORABLE,
    JsonNegotiation,
    JsonObjectParser,
    unstorable_characters,
)
from connections_project.api.rate_limits import UNAUTHENTICATED, Policy
from connections_project.api.throttling import set_rate_limit_headers, throttle
from connections_project.middleware.trusted_proxies import client_address


class ApiViewSet(ViewSet):
    """JSON in, JSON out, rate limits on every answer; errors are raised and rendered elsewhere."""

    renderer_classes = (JSONRenderer,)
    parser_classes = (JsonObjectParser,)
    content_negotiation_class = JsonNegotiation
    http_method_names = ["get", "head", "post", "patch", "delete"]

    # What missing or bad credentials are answered with, where that is not the general 401.
    unauthenticated_fault: ClassVar[ApiError | None] = None

    def rate_limit(self, request: Request) -> tuple[Policy, str] | None:  # noqa: ARG002 (a hook)
        """Name the bucket that this request draws on, and whose it is; None: it is unlimited.

        Called once the caller is known to be allowed in. It may look at the query, the path and
        `request.data`, and must itself raise nothing that should still show the headers.
        """
        return None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse in this order: method, credentials, rate limit, permission, query."""
        self._require_known_method(request)
        super().initial(request, *args, **kwargs)
        for name, values in request.query_params.lists():
            if any(UNSTORABLE.search(value) for value in values):
                raise unstorable_characters(name)

    def check_permissions(self, request: Request) -> None:
        """Draw on the bucket of whoever showed credentials, even if they don't reach this far."""
        try:
            super().check_permissions(request)
        except PermissionDenied:
            self._draw(request)
            raise
        self._draw(request)

    def handle_exception(self, exc: Exception) -> Response:
        """Let callers without credentials draw on their address's bucket."""
        if isinstance(exc, (NotAuthenticated, AuthenticationFailed)):
            exc = self._unauthenticated(exc)
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Show the bucket, and stay out of caches, where "active" would outlive its truth."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        set_rate_limit_headers(request._request, answer)
        return answer

    def _require_known_method(self, request: Request) -> None:
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):
            self.http_method_not_allowed(request)

    def _draw(self, request: Request) -> None:
        limit = self.rate_limit(request)
        if limit is not None:
            throttle(request._request, *limit)

    def _unauthenticated(self, exc: APIException) -> Exception:
        """Draw, where the view knows credentials at all; the sign-in itself has its own guard."""
        request = self.request._request
        try:
            if self.request.authenticators:
                throttle(request, UNAUTHENTICATED, client_address(request))
        except ApiException as refused:
            return refused
        return ApiException(self.unauthenticated_fault) if self.unauthenticated_fault else exc
