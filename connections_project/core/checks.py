"""System checks of the whole service: what a start allows, and an operator must know."""

import os
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register

CLIENT_VARIABLE = re.compile(r"OAUTH_([A-Z0-9_]+)_(?:CLIENT_ID|CLIENT_SECRET|REDIRECT_URIS)")


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


@register()
def client_variables_name_a_platform(**_: Any) -> list[CheckMessage]:
    """Warn of client credentials that no platform of the catalogue uses."""
    slugs = {
        match[1].lower(): match[0]
        for name in os.environ
        if (match := CLIENT_VARIABLE.fullmatch(name))
    }
    return [
        checks.Warning(
            f"{variable} names no platform of the catalogue.",
            hint="Look at the slug's spelling, and at OAUTH_CATALOG.",
            id="connections.W002",
        )
        for slug, variable in sorted(slugs.items())
        if settings.CATALOG.get(slug) is None
    ]


@register()
def client_credentials_are_whole(**_: Any) -> list[CheckMessage]:
    """Warn of a client id without its secret: connecting would answer 503."""
    return [
        checks.Warning(
            f"OAUTH_{platform.slug.upper()}_CLIENT_SECRET is missing beside its CLIENT_ID.",
            hint='Give the secret, or set token_endpoint_auth_method = "none" in the catalogue.',
            id="connections.W003",
        )
        for platform in settings.CATALOG.all()
        if (client := settings.OAUTH_CLIENTS[platform.slug]).client_id
        and not client.client_secret
        and platform.token_endpoint_auth_method != "none"  # noqa: S105
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
