"""The keys of receipts, and the address at which their public halves stand (RFC 7517)."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from connections_project.core.signing import jwk, private_key, public_key

# A new key is seen within this many seconds by whoever keeps a copy.
KEPT_FOR = 300


def signing_key() -> Ed25519PrivateKey:
    return private_key(settings.RECEIPT_SIGNING_KEY)


@require_safe
@cache_control(public=True, max_age=KEPT_FOR)
def jwks(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Return the key that signs receipts first, then those that signed earlier ones."""
    earlier = [public_key(raw) for raw in settings.RECEIPT_PUBLIC_KEYS]
    keys = {one["kid"]: one for one in map(jwk, [signing_key().public_key(), *earlier])}
    return JsonResponse({"keys": list(keys.values())}, content_type="application/jwk-set+json")
