"""The catalogue, with our own registration at each platform, and whether it may be used now."""

from dataclasses import dataclass

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import catalog, client_registration
from connections_project.platforms.models import Suspension


class UnknownPlatformError(Exception):
    """No active platform of this app has that slug."""


class PlatformUnavailableError(Exception):
    """The platform is known, and yet can't be used: suspended, or without client credentials."""


class PlatformBusyError(PlatformUnavailableError):
    """The platform can't be asked just now: too many wait for it, or it is down.

    Args:
        retry_after: Seconds after which it may be tried again.
    """

    def __init__(self, slug: str, *, retry_after: int) -> None:
        super().__init__(slug)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Upstream:
    """A platform and the client that we are to it."""

    platform: Platform
    registration: ClientRegistration

    @property
    def authority(self) -> str:
        """Name the authorization server: client ids and users are unique only within one."""
        return self.platform.token_endpoint.split("/")[2] if self.platform.token_endpoint else ""


def upstream(slug: str) -> Upstream | None:
    """Return the platform of a slug, whatever its state; none if it has left the catalogue."""
    platform = catalog().get(slug)
    return Upstream(platform, client_registration(slug)) if platform else None


def connectable(app: str, slug: str) -> Upstream:
    """Return a platform that a user may connect to now.

    Raises:
        UnknownPlatformError: Not in the catalogue of this app, planned or unsupported.
        PlatformUnavailableError: Suspended, or no client credentials are configured.
    """
    found = upstream(slug)
    if found is None or found.platform.app != app or found.platform.status != "active":
        raise UnknownPlatformError(slug)
    return _available(found)


def available_slugs() -> set[str]:
    """Return the platforms that can be connected now: active, with our client, not suspended."""
    suspended = set(Suspension.objects.values_list("slug", flat=True))
    found = (Upstream(one, client_registration(one.slug)) for one in catalog().all())
    return {
        one.platform.slug
        for one in found
        if one.platform.status == "active"
        and has_credentials(one)
        and one.platform.slug not in suspended
    }


def usable(slug: str) -> Upstream:
    """Return the platform of an existing connection, for a call on its behalf.

    Raises:
        PlatformUnavailableError: Suspended, no client credentials, or gone from the catalogue.
    """
    found = upstream(slug)
    if found is None:
        raise PlatformUnavailableError(slug)
    return _available(found)


def name_of(slug: str) -> str:
    """Return a platform's name for people; one that has left the catalogue has only its slug."""
    found = upstream(slug)
    return found.platform.name if found else slug


def help_url_of(slug: str) -> str:
    """Return the page on which a user removes the app by hand; "" where none is known."""
    found = upstream(slug)
    return found.platform.help_url if found else ""


def is_suspended(slug: str) -> bool:
    return Suspension.objects.filter(pk=slug).exists()


def _available(found: Upstream) -> Upstream:
    if not has_credentials(found) or is_suspended(found.platform.slug):
        raise PlatformUnavailableError(found.platform.slug)
    return found


def has_credentials(found: Upstream) -> bool:
    """Whether a client is configured; a public one (RFC 6749, section 2.1) has no secret."""
    public = found.platform.token_endpoint_auth_method == "none"  # noqa: S105
    return bool(found.registration.client_id and (public or found.registration.client_secret))
