"""System checks of the whole service: what a start allows, and an operator must know."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register


@register()
def keys_are_given(**_: Any) -> list[CheckMessage]:
    """Warn of keys that were made up for this process (DEBUG only)."""
    return [
        checks.Warning(
            f"{name} is missing, so one was made up for this process.",
            hint="What it seals can't be read by another process. `make .env` writes keys.",
            id="connections.W001",
        )
        for name in settings.MISSING_KEYS
    ]


@register(checks.Tags.security, deploy=True)
def public_address_has_tls(**_: Any) -> list[CheckMessage]:
    """Warn of a public address without TLS, to which platforms would send codes in the clear."""
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme == "https" or address.hostname in {"localhost", "127.0.0.1", "::1"}:
        return []
    return [
        checks.Warning(
            "PUBLIC_URL is not https.",
            hint="Platforms send codes to this address (RFC 9700, section 2.6): give it TLS.",
            id="connections.W004",
        )
    ]
