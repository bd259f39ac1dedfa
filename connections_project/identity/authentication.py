"""Bearer tokens at the API (RFC 6750)."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from connections_project.identity import tokens
from connections_project.identity.models import User


class PrincipalAuthentication(JWTAuthentication):
    """Authenticates by access token: the principal as `request.user`, claims as `request.auth`."""

    def authenticate(  # type: ignore[override]
        self, request: Request
    ) -> tuple[User, dict[str, object]] | None:
        """Return the principal and the token's claims; None where no Bearer is sent.

        Raises:
            AuthenticationFailed: The Bearer is no access token of ours, or no longer good.
        """
        raw_token = self.get_raw_token(self.get_header(request) or b"")
        if raw_token is None:
            return None
        try:
            claims = tokens.read(AccessToken, raw_token)
            return tokens.principal_of(claims), claims
        except tokens.BadTokenError as error:
            raise AuthenticationFailed from error

    def get_raw_token(self, header: bytes) -> bytes | None:
        # Schemes are case-insensitive (RFC 9110, section 11.1), and ours hands out "bearer".
        scheme, _, raw_token = header.strip().partition(b" ")
        return raw_token.strip() if scheme.lower() == b"bearer" else None

    def authenticate_header(self, *_: Any, **__: Any) -> str:
        return "Bearer"
