"""Discord's webhook events: a user took the access of our app back.

Source: docs.discord.com/developers/events/webhook-events.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.http import HttpRequest

from connections_project.api.errors import ApiError, error_of_status
from connections_project.core import clock
from connections_project.oauth.paths import dig, dig_text
from connections_project.webhooks.errors import RefusedNoticeError, WebhookErrors
from connections_project.webhooks.notices import Notice, digest_of, from_epoch, from_iso
from connections_project.webhooks.sender import WebhookSender
from connections_project.webhooks.signed_bodies import json_object
from connections_project.webhooks.subjects import of_senders, senders

SENDER = "discord"
REMOVED = "APPLICATION_DEAUTHORIZED"


class DiscordErrors(WebhookErrors):
    """Discord tries bad signatures, too, and takes an address that answers them with 401."""

    def translate(self, exc: Exception) -> ApiError | None:
        if isinstance(exc, RefusedNoticeError) and exc.code == "authentication_failed":
            return error_of_status(401, exc.description)
        return super().translate(exc)


def read(request: HttpRequest) -> Notice:
    """Verify an event and read it. One about anything but a removal, or a ping, names nobody.

    Args:
        request: With JSON, and the headers `X-Signature-Ed25519` and `X-Signature-Timestamp`.

    Raises:
        RefusedNoticeError: Malformed, too old, or signed with no key of ours.
    """
    body = request.body
    signature = request.headers.get("X-Signature-Ed25519", "")
    sent_at = request.headers.get("X-Signature-Timestamp", "")
    signed = sent_at.encode() + body
    genuine = [one for one in senders(SENDER) if _is_signed(signed, signature, one.key)]
    if not genuine:
        raise RefusedNoticeError("authentication_failed", "The signature is not one of ours.")
    from_epoch(sent_at)
    event = dig(json_object(body), "event")
    is_removed = dig(event, "type") == REMOVED
    user_id = dig_text(event, "data.user.id") if is_removed else ""
    occurred_at = from_iso(dig_text(event, "timestamp")) if user_id else clock.now()
    subject = of_senders(genuine, granting_user_id=user_id or None)
    return Notice(SENDER, digest_of(SENDER, body), occurred_at, subject)


def _is_signed(signed: bytes, signature: str, key: str) -> bool:
    try:
        public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public_key.verify(bytes.fromhex(signature), signed)
    except (ValueError, InvalidSignature):
        return False
    return True


sender = WebhookSender(
    read=read, deauthorize_path="discord", accepted_status=204, errors=DiscordErrors()
)
