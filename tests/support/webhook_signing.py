"""Notices as the platforms sign them, by implementations that are not ours: openssl and PyJWT."""

import base64
import json
import subprocess
import time
from typing import Any

from tests.webhooks.conftest import CLIENT_ID, PERSON, SECRET


def openssl_hmac(message: bytes, secret: str) -> bytes:
    """Compute HMAC-SHA256 with OpenSSL's command."""
    key = f"hexkey:{secret.encode().hex()}"
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", key, "-binary"]
    return subprocess.run(command, input=message, capture_output=True, check=True).stdout


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_request(secret: str = SECRET, **claims: Any) -> str:
    """Make Meta's `signed_request`, by the claims that are usual but for those given."""
    usual = {"algorithm": "HMAC-SHA256", "issued_at": int(time.time()), "user_id": PERSON}
    payload = base64url(json.dumps({**usual, **claims}).encode())
    return f"{base64url(openssl_hmac(payload.encode(), secret))}.{payload}"


def tiktok_event(**differing: Any) -> bytes:
    usual = {
        "client_key": CLIENT_ID,
        "event": "authorization.removed",
        "create_time": int(time.time()),
        "user_openid": PERSON,
        "content": '{"reason": 1}',
    }
    return json.dumps({**usual, **differing}).encode()


def tiktok_signature(body: bytes, secret: str = SECRET, sent_at: int | None = None) -> str:
    time_sent = str(int(time.time()) if sent_at is None else sent_at)
    return f"t={time_sent},s={openssl_hmac(time_sent.encode() + b'.' + body, secret).hex()}"
