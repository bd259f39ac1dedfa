"""Token introspection (RFC 7662), for refresh tokens too: the toolkit's own knows access tokens."""

from hashlib import sha256
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import AccessToken, Application, RefreshToken
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request


@method_decorator(csrf_exempt, name="dispatch")
class IntrospectionView(OAuthLibMixin, View):  # type: ignore[misc]  # The toolkit is untyped.
    """Return whether a client's own token is alive (RFC 7662)."""

    def post(self, request: HttpRequest) -> JsonResponse:
        client = self._client_of(request)
        if client is None:
            # RFC 7662, section 2.3, by RFC 6749, section 5.2.
            headers = {"WWW-Authenticate": 'Basic realm="Sandbox Bank"'}
            return JsonResponse({"error": "invalid_client"}, status=401, headers=headers)
        token = request.POST.get("token", "")
        if not token:
            return JsonResponse({"error": "invalid_request"}, status=400)
        return JsonResponse(describe(token, client=client))

    def _client_of(self, request: HttpRequest) -> Application | None:
        core = self.get_oauthlib_core()
        asked = Request(*core._extract_params(request))
        return asked.client if core.server.request_validator.authenticate_client(asked) else None


def describe(token: str, *, client: Application) -> dict[str, Any]:
    """Return the introspection response for a token.

    Args:
        token: An access or a refresh token, as it was issued.
        client: Who asks. Another client's token looks like an unknown one (RFC 7662, section 2.2).
    """
    mine = {"application": client, "token_checksum": sha256(token.encode()).hexdigest()}
    access = AccessToken.objects.filter(**mine, expires__gt=timezone.now()).first()
    if access is not None:
        return _alive(access, client) | {"exp": int(access.expires.timestamp())}
    # One whose access token is gone was repudiated with it, and is refused at the token endpoint.
    refresh = RefreshToken.objects.filter(
        **mine, revoked__isnull=True, access_token__isnull=False
    ).first()
    return _alive(refresh, client) if refresh is not None else {"active": False}


def _alive(token: AccessToken | RefreshToken, client: Application) -> dict[str, Any]:
    granted = token if isinstance(token, AccessToken) else token.access_token
    return {
        "active": True,
        "client_id": client.client_id,
        "scope": granted.scope,
        "sub": token.user.get_username(),
        "username": token.user.get_username(),
    }
