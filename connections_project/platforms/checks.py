"""System checks of the platforms: their adapters, and the clients registered there."""

import os
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from connections_project.conf.environment import CLIENT_VARIABLE
from connections_project.oauth.catalog import Platform
from connections_project.platforms.adapter import missing_functions
from connections_project.platforms.catalog import catalog, client_registration
from connections_project.platforms.endings import near_endings


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


@register()
def nothing_ends_soon(**_: Any) -> list[CheckMessage]:
    """Warn of what ends within 60 days, or has ended, such as a version of an API."""
    return [
        checks.Warning(
            f"{one.platform.name}: {one}.",
            hint="Give a newer value and its ends_on in OAUTH_CATALOG, or take a newer release.",
            id="connections.W005",
        )
        for one in near_endings()
    ]


@register()
def adapters_do_what_is_left_to_them(**_: Any) -> list[CheckMessage]:
    """Report adapters that lack what the catalogue leaves to them."""
    return [
        Error(problem, hint="See connections_project/platforms/adapter.py.", id="connections.E010")
        for platform in catalog().all()
        for problem in _problems(platform)
    ]


def _problems(platform: Platform) -> list[str]:
    try:
        missing = missing_functions(platform)
    except ImproperlyConfigured as error:
        return [f"{platform.slug}: {error}"]
    return [
        f"{platform.slug}: {entry} needs an adapter with `{name}`."
        for name, entry in missing.items()
    ]
