"""What senders share that sign the bodies of their notices."""

import hashlib
import hmac
from typing import Any

from connections_project.oauth.json_text import load_json
from connections_project.webhooks.errors import RefusedNoticeError


def hmac_sha256(secret: str, message: bytes) -> bytes:
    """Return the raw HMAC-SHA256 of a message (RFC 2104)."""
    return hmac.new(secret.encode(), message, hashlib.sha256).digest()


def json_object(body: bytes) -> dict[str, Any]:
    """Read a body.

    Raises:
        RefusedNoticeError: It is no JSON object.
    """
    try:
        found = load_json(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RefusedNoticeError("invalid_request", "The body must be a JSON object.")
    return found
