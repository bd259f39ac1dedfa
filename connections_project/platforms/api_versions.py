"""Versions of platforms' APIs that end: known from the catalogue, and said before they do."""

from datetime import timedelta

from django.utils import timezone

from connections_project.oauth.catalog import Platform
from connections_project.platforms.catalog import catalog
from connections_project.platforms.registry import has_credentials, upstream

# So long before its end a version is spoken of.
NOTICE = timedelta(days=60)


def ending_versions() -> list[Platform]:
    """Return the platforms in use whose API's version ends soon, or has ended."""
    last = timezone.now().date() + NOTICE
    return [
        one
        for one in catalog().all()
        if one.api_version_ends and one.api_version_ends <= last and _is_in_use(one.slug)
    ]


def has_ended(platform: Platform) -> bool:
    """Whether the version that is asked for is served no more."""
    end = platform.api_version_ends
    return end is not None and end <= timezone.now().date()


def warning_of(platform: Platform) -> str:
    """Say of a version when it ends, for people; empty where nothing is known of that."""
    if platform.api_version_ends is None:
        return ""
    verb = "ended" if has_ended(platform) else "ends"
    return f"version {platform.api_version} of its API {verb} on {platform.api_version_ends}"


def _is_in_use(slug: str) -> bool:
    found = upstream(slug)
    return found is not None and has_credentials(found)
