"""Sign deliveries as Standard Webhooks says (github.com/standard-webhooks/standard-webhooks)."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from connections_project.core.vault import Sealed, open_sealed, seal
from connections_project.events.models import Endpoint

PREFIX = "whsec_"
KEY_BYTES = 32


def new_secret() -> str:
    """Make a secret in the form in which receivers are given it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def sealed_secret(endpoint: Endpoint, secret: str) -> Sealed:
    return seal({"secret": secret}, subject=endpoint.vault_subject)


def headers(endpoint: Endpoint, *, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers that identify and sign a body.

    Raises:
        DecryptionError: No key reads the endpoint's secret.
    """
    timestamp = str(int(now.timestamp()))
    message = b".".join((event_id.encode(), timestamp.encode(), body))
    signatures = [_signature(secret, message) for secret in _secrets(endpoint)]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _secrets(endpoint: Endpoint) -> list[str]:
    """Return the secrets that sign now, the newest first."""
    sealed = [endpoint.sealed_secret]
    if endpoint.two_sign_until:
        sealed.append(endpoint.sealed_old_secret)
    return [_opened(endpoint, one) for one in sealed if one is not None]


def _opened(endpoint: Endpoint, sealed: Sealed) -> str:
    return str(open_sealed(sealed, subject=endpoint.vault_subject)["secret"])


def _signature(secret: str, message: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
