"""An organisation's issuer: its people sign in here, and the service takes the tokens they get.

Its key is made at each start and guards nothing: the service fetches the new one by itself.
"""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth import authenticate
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from jwt.algorithms import ECAlgorithm
from oauth2_provider.settings import oauth2_settings

from connections_project.core.ids import uuid7

AUDIENCE = "connections"
TOKEN_SECONDS = 900
_KEY = ec.generate_private_key(ec.SECP256R1())
_KID = str(uuid7())


def issuer_url() -> str:
    return str(oauth2_settings.OIDC_ISS_ENDPOINT)


@require_safe
def metadata(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - the same for everybody.
    """Return where the keys stand (OpenID Connect Discovery, section 3)."""
    issuer = issuer_url()
    return JsonResponse({"issuer": issuer, "jwks_uri": f"{issuer}/issuer/keys"})


@require_safe
def keys(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - the same for everybody.
    """Return the public key (RFC 7517)."""
    public: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(_KEY.public_key()))
    return JsonResponse({"keys": [{**public, "kid": _KID, "use": "sig", "alg": "ES256"}]})


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> JsonResponse:
    """Hand out an access token (RFC 9068) for a username and a password; 400 if they are wrong."""
    form = request.POST
    user = authenticate(username=form.get("username"), password=form.get("password"))
    if user is None:
        return JsonResponse({"error": "invalid_grant"}, status=400)
    now = int(time.time())
    claims = {
        "iss": issuer_url(),
        "aud": AUDIENCE,
        "sub": f"employee-{user.pk}",
        "email": f"{user.get_username()}@example.org",
        "iat": now,
        "exp": now + TOKEN_SECONDS,
    }
    headers = {"kid": _KID, "typ": "at+jwt"}
    signed = jwt.encode(claims, _KEY, algorithm="ES256", headers=headers)
    return JsonResponse(
        {"access_token": signed, "token_type": "Bearer", "expires_in": TOKEN_SECONDS},
        headers={"Cache-Control": "no-store"},
    )
