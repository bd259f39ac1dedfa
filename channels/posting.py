"""What a channel's adapter is asked to publish, and what it gives back."""

import importlib
from dataclasses import dataclass, field
from typing import Protocol

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client_authentication import bearer
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.tokens import require_vschar
from connections_project.platforms.registry import upstream

LONGEST_ID = 255
LONGEST_URL = 2048


@dataclass(frozen=True)
class Post:
    """A post on its way.

    Args:
        text: As its author wrote it.
        image_url: An https address that is passed on, and never fetched by us.
        account_id: The platform's account that it is published by.
        key: The same each time that this post is sent, for platforms that keep such keys.
        access_token: Lets us in.
    """

    text: str
    image_url: str | None
    account_id: str
    key: str
    access_token: str = field(repr=False)


@dataclass(frozen=True)
class Published:
    """A post as the platform knows it; the address is None where it doesn't tell one."""

    post_id: str
    url: str | None = None


class Publisher(Protocol):
    """The module of a platform's adapter, as far as publishing goes.

    Attributes:
        TAKES_IMAGE_URL: Whether the platform fetches an image from an address by itself. Where it
            wants the bytes, images can't be published: we fetch nothing that a user names.
        IDEMPOTENCY_SECONDS: How long the platform keeps `Post.key` and answers a repeated post with
            the first one; 0 where it has no such thing.
    """

    TAKES_IMAGE_URL: bool
    IDEMPOTENCY_SECONDS: int

    def publish(self, platform: Platform, post: Post, *, within: float) -> Published:
        """Publish a post by one try of at most `within` seconds.

        Raises:
            DeadGrant: The platform says that the grant is over.
            PlatformError: Any other failure; only some of them say that nothing was published.
        """


def publisher_of(platform: Platform) -> Publisher | None:
    """Return what publishes at a platform; None where nothing of ours can."""
    if not platform.adapter:
        return None
    module = importlib.import_module(platform.adapter)
    return module if hasattr(module, "publish") else None


def takes_image_url(channel: str) -> bool:
    """Whether an image can be scheduled on a channel; nobody knows where nothing publishes."""
    found = upstream(channel)
    publisher = publisher_of(found.platform) if found else None
    return publisher is None or publisher.TAKES_IMAGE_URL


def authorization(platform: Platform, post: Post) -> dict[str, str]:
    """Return the header that lets us in."""
    return bearer(require_vschar(post.access_token, platform=platform.slug))


def published(platform: Platform, post_id: object, url: object = None) -> Published:
    """Take what a platform told of a post.

    Raises:
        PlatformError: `malformed`: without an id nobody knows what became of it.
    """
    if not isinstance(post_id, str) or not _fits(post_id, LONGEST_ID):
        raise PlatformError("malformed", platform=platform.slug)
    is_address = isinstance(url, str) and _fits(url, LONGEST_URL) and url.startswith("https://")
    return Published(post_id, str(url) if is_address else None)


def _fits(value: str, longest: int) -> bool:
    return value.isprintable() and 0 < len(value) <= longest
