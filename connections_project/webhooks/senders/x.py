"""X's webhooks: a user took the access of our app back.

Source: docs.x.com/x-api/activity/event-payloads (`oauth.revoke`), …/account-activity/introduction
(`user_event.revoke`, its elder), …/webhooks/quickstart (signatures, challenges).
"""

import base64
import hmac
import re
from typing import Any

from django.http import HttpRequest

from connections_project.core import clock
from connections_project.oauth.paths import dig, dig_text
from connections_project.webhooks.errors import RefusedNoticeError
from connections_project.webhooks.notices import Notice, digest_of, from_iso
from connections_project.webhooks.sender import WebhookSender
from connections_project.webhooks.signed_bodies import hmac_sha256, json_object
from connections_project.webhooks.subjects import of_senders, senders

SENDER = "x"
# Challenges are signed as bodies are: nobody may have a body signed by asking for a challenge.
CHALLENGE = re.compile(r"[A-Za-z0-9+/=_-]{1,256}")


def read(request: HttpRequest) -> Notice:
    """Verify a webhook and read it. One about anything but a revoked access names nobody.

    Args:
        request: With JSON, and its signature in the header `x-twitter-webhooks-signature`.

    Raises:
        RefusedNoticeError: Malformed, or signed with no key of ours.
    """
    body = request.body
    given = request.headers.get("x-twitter-webhooks-signature", "").encode()
    genuine = [
        one for one in senders(SENDER) if hmac.compare_digest(_signature(one.key, body), given)
    ]
    if not genuine:
        raise RefusedNoticeError("authentication_failed", "The signature is not one of ours.")
    user_id, moment = _revoked(json_object(body))
    occurred_at = from_iso(moment) if user_id else clock.now()
    subject = of_senders(genuine, granting_user_id=user_id or None)
    return Notice(SENDER, digest_of(SENDER, body), occurred_at, subject)


def answer_challenge(request: HttpRequest) -> dict[str, str]:
    """Prove that we have the app's key, as X asks each hour ("CRC").

    Raises:
        RefusedNoticeError: There is no challenge, or no key.
    """
    token = request.GET.get("crc_token", "")
    ours = senders(SENDER)
    if not ours or not CHALLENGE.fullmatch(token):
        raise RefusedNoticeError("invalid_request", "There is no crc_token, or no client at X.")
    return {"response_token": _signature(ours[0].key, token.encode()).decode()}


def _signature(key: str, message: bytes) -> bytes:
    return b"sha256=" + base64.b64encode(hmac_sha256(key, message))


def _revoked(event: dict[str, Any]) -> tuple[str, str]:
    """Return who took access back, and when; nobody in another event."""
    if dig(event, "data.event_type") == "oauth.revoke":
        revoked = dig(event, "data.payload")
        return dig_text(revoked, "user_id"), dig_text(revoked, "date_time")
    revoked = dig(event, "user_event.revoke")
    return dig_text(revoked, "source.user_id"), dig_text(revoked, "date_time")


sender = WebhookSender(read=read, deauthorize_path="x", challenge=answer_challenge)
