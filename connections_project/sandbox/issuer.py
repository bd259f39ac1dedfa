"""An organisation's issuer and OpenID Connect provider: its people sign in here.

The service takes the access tokens that they get, and its operators' single sign-on leads here.
The key is made at each start and guards nothing: the service fetches the new one by itself.
"""

import time
from typing import Any

import jwt
from django.contrib.auth import authenticate
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.utils import jwk_from_pem

from connections_project.sandbox.people import PEOPLE

AUDIENCE = "connections"
TOKEN_SECONDS = 900


class SignOnValidator(OAuth2Validator):  # type: ignore[misc]  # The toolkit is untyped.
    """Says in ID tokens who somebody is, and in which groups (OpenID Connect Core, section 2)."""

    # Whatever scopes were asked for.
    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        known = PEOPLE.get(request.user.get_username())
        return {**_claims(request.user), "groups": list(known.groups) if known else []}


def _claims(user: AbstractUser) -> dict[str, str]:
    return {"sub": f"employee-{user.pk}", "email": f"{user.get_username()}@example.org"}


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> JsonResponse:
    """Hand out an access token (RFC 9068) for a username and a password; 400 if they are wrong."""
    form = request.POST
    user = authenticate(username=form.get("username"), password=form.get("password"))
    if not isinstance(user, AbstractUser):
        return JsonResponse({"error": "invalid_grant"}, status=400)
    now = int(time.time())
    claims = {
        **_claims(user),
        "iss": str(oauth2_settings.OIDC_ISS_ENDPOINT),
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
    }
    key = oauth2_settings.OIDC_RSA_PRIVATE_KEY
    headers = {"kid": jwk_from_pem(key).thumbprint(), "typ": "at+jwt"}
    signed = jwt.encode(claims, key, algorithm="RS256", headers=headers)
    return JsonResponse(
        {"access_token": signed, "token_type": "Bearer", "expires_in": TOKEN_SECONDS},
        headers={"Cache-Control": "no-store"},
    )
