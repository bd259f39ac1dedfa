"""What a person may connect on the page."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from connections_project.connections.registry import connection_types
from connections_project.platforms.catalog import catalog
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import Upstream, has_credentials, upstream


@dataclass(frozen=True)
class Offer:
    """A platform that can be connected now.

    Args:
        origin: Where its authorization endpoint stands.
    """

    app: str
    slug: str
    name: str
    origin: str


def callback_url(slug: str) -> str:
    """Return the address to which platforms send people back to these pages."""
    return f"{settings.PUBLIC_URL}/oauth/callback/{slug}"


def offers(is_wanted: Callable[[str], bool]) -> list[Offer]:
    """Return what can be connected, by name.

    Args:
        is_wanted: Whether a platform, by its slug, is to be among them.
    """
    suspended = set(Suspension.objects.values_list("pk", flat=True))
    apps = {one.app for one in connection_types()}
    slugs = [one.slug for one in catalog().all() if one.app in apps and is_wanted(one.slug)]
    found = filter(None, map(upstream, slugs))
    usable = [one for one in found if _is_usable(one) and one.platform.slug not in suspended]
    return sorted(map(_offer, usable), key=lambda offer: offer.name.casefold())


def _is_usable(found: Upstream) -> bool:
    """Whether it can be connected from here: also, that it would send people back to us."""
    returns = callback_url(found.platform.slug) in found.registration.redirect_uris
    return found.platform.status == "active" and returns and has_credentials(found)


def _offer(found: Upstream) -> Offer:
    platform = found.platform
    parts = urlsplit(platform.authorization_endpoint)
    origin = f"{parts.scheme}://{parts.netloc}"
    return Offer(platform.app, platform.slug, platform.name, origin)
