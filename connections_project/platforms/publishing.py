"""What an adapter is given to publish a post with, and what it gives back."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connections_project.oauth.calls import call
from connections_project.oauth.client import TokenSet
from connections_project.oauth.client_authentication import bearer
from connections_project.oauth.errors import ErrorCode, PlatformError
from connections_project.oauth.messages import Answer, File, Request
from connections_project.oauth.observers import calling
from connections_project.oauth.paths import dig_text
from connections_project.oauth.tokens import require_vschar
from connections_project.platforms.registry import Upstream

SECONDS_A_CALL = 10.0
LONGEST_ID = 255
LONGEST_URL = 2048


@dataclass(frozen=True)
class Picture:
    """A picture as it was fetched."""

    content: bytes = field(repr=False)
    media_type: str

    @property
    def file(self) -> File:
        """Return it as a file of a form."""
        return File(f"picture.{self.media_type.partition('/')[2]}", self.content, self.media_type)


@dataclass(frozen=True)
class Post:
    """What is to be published.

    Args:
        account_id: The platform's account that it is published by.
        image_url: An https address that is passed on to a platform that fetches by itself.
        key: The same each time that this post is sent, for platforms that keep such keys.
        account_name: The account's name, where it is known.
        options: What else it says, by the names that the adapter declares.
        picture: What was at the address, for a platform that wants the bytes.
    """

    account_id: str
    text: str
    image_url: str | None = None
    key: str = ""
    account_name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    picture: Picture | None = None


@dataclass(frozen=True)
class Published:
    """A post as the platform knows it; `url` is None where it doesn't return one."""

    post_id: str
    url: str | None = None


@dataclass(frozen=True)
class PostProblem:
    """What is wrong with a post.

    Args:
        part: "text", "image" or "options.NAME".
        code: A slug.
    """

    part: str
    code: str
    message: str


class InvalidPostError(Exception):
    """The platform has no such posts; `problems` say why."""

    def __init__(self, *problems: PostProblem) -> None:
        super().__init__(", ".join(f"{one.part}: {one.code}" for one in problems))
        self.problems = problems


class PublishingUnsupportedError(Exception):
    """No adapter publishes at this platform."""


@dataclass
class PublishSession:
    """Makes the calls that publish one post, as long as its account is active and time is left.

    Args:
        tokens: The account's, which may be replaced by fresher ones.
        ends_at: When all must be over, on the monotonic clock in seconds.
        require_active: Looks, right before each call, whether the account is still the one whose
            tokens these are; raises NotActiveError.
        is_sent: Whether a call was made that may have published the post.
        before_sending: Called before the first such call; what it raises keeps it from being made.
    """

    upstream: Upstream
    tokens: TokenSet = field(repr=False)
    ends_at: float
    require_active: Callable[[], None]
    is_sent: bool = False
    before_sending: Callable[[], None] = lambda: None

    @property
    def slug(self) -> str:
        return self.upstream.platform.slug

    @property
    def authorization(self) -> dict[str, str]:
        """Return the header that lets us in (RFC 6750, section 2.1)."""
        return bearer(require_vschar(self.tokens.access_token, platform=self.slug))

    @calling("publish")
    def call(self, request: Request, *, publishes: bool = False) -> Answer:
        """Make a call, and return its answer if it is a success.

        Args:
            publishes: Whether the post is out with it.

        Raises:
            NotActiveError: The account was disconnected; nothing was sent.
            DeadGrant: The platform says that the grant is over.
            PlatformError: Among others `timeout`: there is no time left.
        """
        within = min(self._left(), SECONDS_A_CALL)
        self.require_active()
        if publishes and not self.is_sent:
            self.before_sending()
            self.is_sent = True
        return call(self.upstream.platform, request, within=within)

    def wait(self, seconds: float) -> None:
        """Wait, as long as there is time.

        Raises:
            PlatformError: `timeout`.
        """
        if self._left() <= seconds:
            raise self.error("timeout")
        time.sleep(seconds)

    def published(self, post_id: object, url: object = None) -> Published:
        """Return what a platform answered about a post; an invalid address is left out.

        Raises:
            PlatformError: `malformed`: without an id nobody knows what became of it.
        """
        known_as = dig_text({"id": post_id}, "id")
        if not _fits(known_as, LONGEST_ID):
            raise self.error("malformed")
        is_address = isinstance(url, str) and _fits(url, LONGEST_URL) and url.startswith("https://")
        return Published(known_as, str(url) if is_address else None)

    def error(self, code: ErrorCode) -> PlatformError:
        """Return a failure of this platform, to be raised."""
        return PlatformError(code, platform=self.slug)

    def _left(self) -> float:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise self.error("timeout")
        return left


NOT_SENT = frozenset({"not_asked", "no_files", "connect_error"})


def is_surely_not_accepted(error: PlatformError) -> bool:
    """Whether the same post may be sent again: nothing was sent, or the platform was busy."""
    return error.code in NOT_SENT or error.status in {429, 503}


def _fits(value: str, longest: int) -> bool:
    return value.isprintable() and 0 < len(value) <= longest
