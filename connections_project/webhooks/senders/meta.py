"""Meta's `signed_request`: who sent it, and of whom it speaks.

Source: facts of developers.facebook.com/docs/development/create-an-app/app-dashboard/
data-deletion-callback; two base64url parts without padding, `signature.payload`.
"""

import base64
import hmac
from typing import Any

from django.http import HttpRequest

from connections_project.oauth.json_text import load_json
from connections_project.webhooks.errors import RefusedNoticeError
from connections_project.webhooks.notices import Notice, digest_of, from_epoch
from connections_project.webhooks.sender import WebhookSender
from connections_project.webhooks.signed_bodies import hmac_sha256
from connections_project.webhooks.subjects import of_senders, senders

SENDER = "meta"
MOST_SIGNS = 20_000


def read(request: HttpRequest) -> Notice:
    """Verify a signed request and read it.

    Args:
        request: With the form's field `signed_request`.

    Raises:
        RefusedNoticeError: Malformed, unsigned, or signed with no secret of ours.
    """
    # Nothing of a signed request is escaped, and has no parameters: each costs more than all else.
    if request.body.count(b"%") + request.body.count(b";") > MOST_SIGNS:
        raise RefusedNoticeError("invalid_request", "The form has too many escapes.")
    signature, _, payload = request.POST.get("signed_request", "").partition(".")
    # Facebook Login signs with the Meta app's secret, the other logins perhaps with their own:
    # each platform's own secret is tried, all of them whatever comes out.
    genuine = [one for one in senders(SENDER) if _is_signed(signature, payload, one.key)]
    if not genuine:
        raise RefusedNoticeError("authentication_failed", "The signature is not one of ours.")
    claims = _claims(payload)
    user_id = claims.get("user_id")
    subject = of_senders(genuine, granting_user_id=str(user_id) if user_id else None)
    return Notice(SENDER, digest_of(SENDER, payload), from_epoch(claims.get("issued_at")), subject)


def _is_signed(signature: str, payload: str, secret: str) -> bool:
    # Over the payload exactly as received, before it is decoded.
    expected = hmac_sha256(secret, payload.encode("utf-8", "replace"))
    return hmac.compare_digest(expected, _decoded(signature))


def _claims(payload: str) -> dict[str, Any]:
    try:
        claims = load_json(_decoded(payload))
    except (ValueError, RecursionError):
        claims = None
    algorithm = claims.get("algorithm") if isinstance(claims, dict) else None
    if not isinstance(claims, dict) or str(algorithm).upper() != "HMAC-SHA256":
        raise RefusedNoticeError("invalid_request", "The payload must be JSON by HMAC-SHA256.")
    return claims


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return b""


sender = WebhookSender(
    read=read, deauthorize_path="meta/deauthorize", erase_path="meta/data-deletion"
)
