"""The base of all API views."""

from collections.abc import Mapping
from math import ceil
from typing import Any, ClassVar, NoReturn

from django.db.models import QuerySet
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from connections_project.api.errors import ApiError, ApiException, rate_limit_exceeded
from connections_project.api.pagination import paginate
from connections_project.api.parsers import (
    UNSTORABLE,
    JsonNegotiation,
    JsonObjectParser,
    unstorable_characters,
)
from connections_project.api.renderers import OrjsonRenderer
from connections_project.api.serializers import serialize_rows
from connections_project.api.throttling import UnauthenticatedThrottle, set_rate_limit_headers


class ApiViewSet(ViewSet):
    """JSON in, JSON out, rate limits on every answer; errors are raised and rendered elsewhere."""

    renderer_classes: tuple[type[OrjsonRenderer], ...] = (OrjsonRenderer,)
    parser_classes: tuple[type[JsonObjectParser], ...] = (JsonObjectParser,)
    content_negotiation_class = JsonNegotiation
    http_method_names = ["get", "head", "post", "patch", "delete"]

    # What missing or bad credentials are answered with, where that is not the general 401.
    unauthenticated_error: ClassVar[ApiError | None] = None
    # Whose bucket 401s draw on.
    refusal_throttle: ClassVar[type[UnauthenticatedThrottle]] = UnauthenticatedThrottle
    # The throttles of single actions; the others have `throttle_classes`.
    action_throttles: ClassVar[Mapping[str, type[BaseThrottle]]] = {}

    def paginated(self, answer: type[Serializer[Any]], queryset: QuerySet[Any]) -> Response:
        """Return the page of a list that the query names; see `paginate`."""
        rows, pagination = paginate(queryset, self.request)
        return Response({"data": serialize_rows(answer, rows), "pagination": pagination})

    def get_throttles(self) -> list[BaseThrottle]:
        own = self.action_throttles.get(self.action)
        return [own()] if own else super().get_throttles()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse in this order: method, credentials, rate limit, permission, query."""
        self._require_known_method(request)
        super().initial(request, *args, **kwargs)
        for name, values in request.query_params.lists():
            if any(UNSTORABLE.search(value) for value in values):
                raise unstorable_characters(name)

    def permission_denied(
        self, request: Request, message: str | None = None, code: str | None = None
    ) -> NoReturn:
        """Throttle whoever showed credentials, even if those don't reach this far."""
        if request.successful_authenticator:
            self.check_throttles(request)
        super().permission_denied(request, message=message, code=code)

    def throttled(self, request: Request, wait: float | None) -> NoReturn:  # noqa: ARG002 (a hook)
        raise ApiException(rate_limit_exceeded(retry_after=ceil(wait or 0)))

    def handle_exception(self, exc: Exception) -> Response:
        """Throttle callers without credentials by their address."""
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

    def throttled_refusal(self, refusal: Exception) -> Exception:
        """Return the 401 to answer with, or a 429 where its caller's address has had enough."""
        throttle = self.refusal_throttle()
        if throttle.allow_request(self.request, self):
            return refusal
        return ApiException(rate_limit_exceeded(retry_after=throttle.wait()))

    def _unauthenticated(self, exc: APIException) -> Exception:
        """Throttle, where the view has authenticators at all."""
        error = ApiException(self.unauthenticated_error) if self.unauthenticated_error else exc
        return self.throttled_refusal(error) if self.request.authenticators else error
