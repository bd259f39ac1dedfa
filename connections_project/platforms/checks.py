"""System checks of the platforms' adapters."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from connections_project.oauth.catalog import Platform
from connections_project.platforms.adapter import missing_functions


@register()
def adapters_do_what_is_left_to_them(**_: Any) -> list[CheckMessage]:
    """Report adapters that lack what the catalogue leaves to them."""
    return [
        Error(problem, hint="See platforms/adapter.py.", id="connections.E001")
        for platform in settings.CATALOG.all()
        for problem in _problems(platform)
    ]


def _problems(platform: Platform) -> list[str]:
    try:
        missing = missing_functions(platform)
    except ImproperlyConfigured as error:
        return [f"{platform.slug}: {error}"]
    return [f"{platform.slug}: its adapter has no `{name}`." for name in missing]
