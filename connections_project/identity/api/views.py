"""Signing in, staying so, signing out."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from connections_project.api.errors import (
    ApiException,
    error_of_status,
    rate_limit_exceeded,
    service_busy,
)
from connections_project.api.views import ApiViewSet
from connections_project.identity import sessions, sign_in
from connections_project.identity.api import documentation
from connections_project.identity.api.serializers import (
    CredentialsSerializer,
    MeAnswer,
    RefreshTokenSerializer,
)
from connections_project.identity.hashing import HashingBusyError
from connections_project.identity.login_attempts import TooManyAttemptsError
from connections_project.identity.principals import principal_of
from connections_project.identity.sessions import TokenPair
from connections_project.identity.throttling import ReadThrottle, SignInThrottle
from connections_project.identity.tokens import BadTokenError

REFUSED = error_of_status(401, "The refresh token is not valid.")


class MeViewSet(ApiViewSet):
    """Whoever asks."""

    throttle_classes = (ReadThrottle,)

    @documentation.ME
    def retrieve(self, request: Request) -> Response:
        """Say whom the token speaks for."""
        return Response(MeAnswer(principal_of(request)).data)


def require_local_login() -> None:
    """Hide what signs in by password where people come in by external issuers alone.

    Raises:
        Http404: LOCAL_LOGIN is off.
    """
    if not settings.LOCAL_LOGIN:
        raise Http404


class SessionViewSet(ApiViewSet):
    """Sign-in and token endpoints; they need no Bearer, and ignore one."""

    authentication_classes = []
    permission_classes = []
    refusal_throttle = SignInThrottle

    def handle_exception(self, exc: Exception) -> Response:
        """Throttle what is refused here, too, by its address."""
        if isinstance(exc, ApiException) and exc.error.status == 401:
            exc = self.throttled_refusal(exc)
        return super().handle_exception(exc)

    @documentation.LOGIN
    def login(self, request: Request) -> Response:
        """Sign in with e-mail and password."""
        require_local_login()
        credentials = _valid(CredentialsSerializer(data=request.data))
        try:
            user = sign_in.authenticate(request._request, **credentials)
        except sign_in.BadCredentialsError:
            raise ApiException(error_of_status(401, "E-mail and password don't match.")) from None
        except TooManyAttemptsError as error:
            raise ApiException(rate_limit_exceeded(retry_after=error.retry_after)) from None
        except HashingBusyError as error:
            raise ApiException(service_busy(retry_after=error.retry_after)) from None
        return _handed_out(sessions.begin(user))

    @documentation.REFRESH
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for new tokens; each can be used once."""
        require_local_login()
        body = _valid(RefreshTokenSerializer(data=request.data))
        try:
            return _handed_out(sessions.rotate(body["refresh_token"]))
        except BadTokenError:
            raise ApiException(REFUSED) from None

    @documentation.LOGOUT
    def logout(self, request: Request) -> Response:
        """Sign out: no refresh token of this sign-in is good any more."""
        body = _valid(RefreshTokenSerializer(data=request.data))
        try:
            sessions.end(body["refresh_token"])
        except BadTokenError:
            raise ApiException(REFUSED) from None
        return Response(status=204)


def _valid(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _handed_out(pair: TokenPair) -> Response:
    # RFC 6749, section 5.1: nobody on the way may keep tokens.
    return Response(asdict(pair), headers={"Cache-Control": "no-store", "Pragma": "no-cache"})
