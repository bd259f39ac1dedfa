"""What of the catalogue runs out, such as a version of an API: said before it does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from connections_project.oauth.catalog import Platform
from connections_project.platforms.catalog import catalog
from connections_project.platforms.registry import has_credentials, upstream

# So long before it ends a thing is spoken of.
NOTICE = timedelta(days=60)


@dataclass(frozen=True)
class Ending:
    """Something of a platform's entry that ends soon, or has ended."""

    platform: Platform
    what: str
    on: date

    @property
    def is_over(self) -> bool:
        return self.on <= timezone.now().date()

    def __str__(self) -> str:
        return f"{self.what} {'ended' if self.is_over else 'ends'} on {self.on}"


def near_endings() -> list[Ending]:
    """Return what ends soon of the platforms in use, the earliest first."""
    found = (each for one in catalog().all() if _is_in_use(one.slug) for each in endings_of(one))
    return sorted(found, key=lambda each: each.on)


def endings_of(platform: Platform) -> Iterator[Ending]:
    """Return what ends soon of one platform, used or not."""
    last = timezone.now().date() + NOTICE
    for what, on in platform.ends_on.items():
        if on <= last:
            yield Ending(platform, what, on)


def _is_in_use(slug: str) -> bool:
    found = upstream(slug)
    return found is not None and has_credentials(found)
