"""Bearer tokens at the API (RFC 6750)."""

from dataclasses import replace
from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from connections_project.api.errors import ApiError, ApiException, error_of_status
from connections_project.identity import external_tokens, tokens
from connections_project.identity.models import User
from connections_project.middleware.trusted_proxies import client_address
from connections_project.oauth.json_text import LONGEST_TOKEN
from connections_project.oauth.key_server import KeysUnavailableError


class PrincipalAuthentication(JWTAuthentication):
    """Authenticates by access token: the principal as `request.user`, claims as `request.auth`."""

    def authenticate(  # type: ignore[override]
        self, request: Request
    ) -> tuple[User, dict[str, object]] | None:
        """Return the principal and the token's claims; None where no Bearer is sent.

        Raises:
            AuthenticationFailed: The Bearer is no access token of ours or of an issuer whom we
                know, or no longer good.
            ApiException: 503, the issuer's keys can't be had.
        """
        raw_token = self.get_raw_token(self.get_header(request) or b"")
        if raw_token is None:
            return None
        try:
            return _principal_of(raw_token, client_address(request._request))
        except tokens.BadTokenError as error:
            raise AuthenticationFailed from error
        except KeysUnavailableError as error:
            # Nobody knows yet whether the token is good: a 401 would have its bearer sign in again.
            raise ApiException(_keys_unavailable(error.retry_after)) from None

    def get_raw_token(self, header: bytes) -> bytes | None:
        # Schemes are case-insensitive (RFC 9110, section 11.1), and ours hands out "bearer".
        scheme, _, raw_token = header.strip().partition(b" ")
        return raw_token.strip() if scheme.lower() == b"bearer" else None

    def authenticate_header(self, *_: Any, **__: Any) -> str:
        return "Bearer"


def _principal_of(raw: bytes, address: str) -> tuple[User, dict[str, object]]:
    if len(raw) > LONGEST_TOKEN:
        raise tokens.BadTokenError
    issuer = external_tokens.claimed_issuer(raw)
    if issuer is not None:
        return external_tokens.principal_of(raw, issuer=issuer, address=address)
    claims = tokens.read(AccessToken, raw)
    return tokens.principal_of(claims), claims


def _keys_unavailable(retry_after: int) -> ApiError:
    error = error_of_status(503, "The keys of the token's issuer can't be had at the moment.")
    return replace(error, headers={"Retry-After": str(retry_after)})
