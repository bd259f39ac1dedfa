"""System checks of the clients registered at platforms."""

import os
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, register

from connections_project.conf.environment import CLIENT_VARIABLE
from connections_project.platforms.catalog import catalog, client_registration


@register()
def client_variables_name_a_platform(**_: Any) -> list[CheckMessage]:
    """Warn of client credentials that no platform of the catalogue uses."""
    slugs = {
        match["slug"].lower(): match[0]
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
        if catalog().get(slug) is None
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
        for platform in catalog().all()
        if (client := client_registration(platform.slug)).client_id
        and not client.client_secret
        and platform.token_endpoint_auth_method != "none"  # noqa: S105
    ]
