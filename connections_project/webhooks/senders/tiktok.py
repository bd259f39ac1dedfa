"""TikTok's webhooks: who sent one, and of whom it speaks.

Source: developers.tiktok.com/doc/webhooks-verification and /doc/webhooks-events.
"""

import hmac
import re
from typing import Any

from django.http import HttpRequest

from connections_project.webhooks.errors import RefusedNoticeError
from connections_project.webhooks.notices import Notice, digest_of, from_epoch
from connections_project.webhooks.sender import WebhookSender
from connections_project.webhooks.signed_bodies import hmac_sha256, json_object
from connections_project.webhooks.subjects import of_senders, senders

SENDER = "tiktok"
REMOVED = "authorization.removed"
_TIME, _SIGNATURE = re.compile(r"[0-9]{1,12}"), re.compile(r"[0-9a-f]{64}")


def read(request: HttpRequest) -> Notice:
    """Verify a webhook and read it. One about anything but a removal names nobody.

    Args:
        request: With JSON, and its signature in the header `TikTok-Signature`.

    Raises:
        RefusedNoticeError: Malformed, unsigned, or signed with no secret of ours.
    """
    body = request.body
    sent_at, signature = _signature(request.headers.get("TikTok-Signature", ""))
    signed = sent_at.encode() + b"." + body
    genuine = [one for one in senders(SENDER) if _is_signed(signed, signature, one.key)]
    if not genuine:
        raise RefusedNoticeError("authentication_failed", "The signature is not one of ours.")
    # Retries bear a new time of sending, which is what must be fresh; the event keeps its own.
    from_epoch(sent_at)
    event = json_object(body)
    # A list, since what came may be anything, also what no set can look for.
    if event.get("client_key") not in [one.client_id for one in genuine]:
        raise RefusedNoticeError("invalid_audience", "The client_key is not ours.")
    removed = event.get("event") == REMOVED
    subject = of_senders(genuine, granting_user_id=_user(event) if removed else None)
    return Notice(SENDER, digest_of(SENDER, body), from_epoch(event.get("create_time")), subject)


def _signature(header: str) -> tuple[str, str]:
    """Read when it was sent and its signature, `t=…,s=…`, in this order or another.

    Raises:
        RefusedNoticeError: One of them is missing or malformed.
    """
    parts = dict(one.strip().partition("=")[::2] for one in header.split(","))
    sent_at, signature = parts.get("t", ""), parts.get("s", "").lower()
    if not _TIME.fullmatch(sent_at) or not _SIGNATURE.fullmatch(signature):
        raise RefusedNoticeError("authentication_failed", "The signature's header is malformed.")
    return sent_at, signature


def _is_signed(signed: bytes, signature: str, secret: str) -> bool:
    return hmac.compare_digest(hmac_sha256(secret, signed).hex(), signature)


def _user(event: dict[str, Any]) -> str | None:
    user = event.get("user_openid")
    return user if isinstance(user, str) and user else None


sender = WebhookSender(read=read, deauthorize_path="tiktok")
