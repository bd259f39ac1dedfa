"""Notices as the platforms sign them, by implementations that are not ours: openssl and PyJWT."""

import base64
import json
import subprocess
import time
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def x_event(*, at: float | None = None, user_id: str = PERSON, **more: Any) -> bytes:
    """Write X's event; what is given further stands beside its data."""
    payload = {"date_time": iso(at or time.time()), "user_id": user_id, "app_id": "29820954"}
    data = {"event_uuid": "59", "filter": {}, "event_type": "oauth.revoke", "payload": payload}
    return json.dumps({"data": data, **more}).encode()


def x_signature(message: bytes, key: str = SECRET) -> str:
    return "sha256=" + base64.b64encode(openssl_hmac(message, key)).decode()


DISCORD_KEY = Ed25519PrivateKey.generate()


def discord_event(
    *, at: float | None = None, kind: str = "APPLICATION_DEAUTHORIZED", user_id: str = PERSON
) -> bytes:
    event = {
        "type": kind,
        "timestamp": iso(at or time.time()),
        "data": {"user": {"id": user_id, "username": "ada"}},
    }
    told = {"version": 1, "application_id": CLIENT_ID, "type": 1, "event": event}
    return json.dumps(told).encode()


def discord_signature(body: bytes, *, at: float | None = None) -> dict[str, str]:
    sent_at = str(int(at or time.time()))
    signature = DISCORD_KEY.sign(sent_at.encode() + body).hex()
    return {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": sent_at}
