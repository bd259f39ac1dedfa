"""The Bearer of a directory (RFC 7644, section 2)."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.api.rate_limits import SCIM
from connections_project.api.throttling import TokenBucketThrottle
from connections_project.middleware.trusted_proxies import client_address
from connections_project.scim.models import ScimToken
from connections_project.scim.tokens import BadScimTokenError, find_token


class ScimTokenAuthentication(BaseAuthentication):
    """Authenticates by `Authorization: Bearer` and a token that `create_scim_token` has made."""

    def authenticate(self, request: Request) -> tuple[ScimToken, None] | None:
        """Return the token as the principal; None where no Bearer is sent.

        Raises:
            AuthenticationFailed: It is no good.
        """
        scheme, _, raw = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return find_token(raw.strip()), None
        except BadScimTokenError:
            raise AuthenticationFailed from None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (DRF's signature)
        return "Bearer"


class ScimThrottle(TokenBucketThrottle):
    """Counts for a directory's token."""

    policy = SCIM

    def bucket_key(self, request: Request, view: object) -> str:  # noqa: ARG002 - as its base.
        return str(token_of(request).pk)


def token_of(request: Request) -> ScimToken:
    """Return the token of a request that needs one.

    Raises:
        NotAuthenticated: None was let in.
    """
    if not isinstance(request.user, ScimToken):
        raise NotAuthenticated
    return request.user


def scim_origin(request: Request) -> Origin:
    """Describe a directory's request, for the audit log."""
    address = client_address(request._request)
    return Origin(ActorType.SERVICE, token_of(request).pk, Interface.SCIM, client_address=address)
