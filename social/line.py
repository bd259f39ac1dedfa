"""The line to a platform on which one post goes out: open while its account is active."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connections_project.oauth.client import TokenSet
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.observers import calling
from connections_project.oauth.transport import Answer, Request, send
from connections_project.platforms.registry import Upstream

SECONDS_A_CALL = 10.0


@dataclass
class Line:
    """Makes calls with an account's token.

    Args:
        upstream: The platform.
        tokens: The account's, which may be replaced by fresher ones.
        ends_at: When all must be over, on the monotonic clock in seconds.
        require_active: Looks, right before each call, whether the account is still the one whose
            tokens these are; raises NotActiveError.
        is_sent: Whether a call was made that may have published the post.
    """

    upstream: Upstream
    tokens: TokenSet = field(repr=False)
    ends_at: float
    require_active: Callable[[], None]
    is_sent: bool = False

    @property
    def slug(self) -> str:
        return self.upstream.platform.slug

    @calling("publish")
    def call(self, request: Request, *, publishes: bool = False) -> Answer:
        """Make a call, and give its answer whatever its status.

        Args:
            request: What to send.
            publishes: Whether the post is out with it.

        Raises:
            NotActiveError: The account was disconnected; nothing was sent.
            PlatformError: Among others `timeout`: there is no time left.
        """
        within = min(self._left(), SECONDS_A_CALL)
        self.require_active()
        self.is_sent = self.is_sent or publishes
        return send(request, platform=self.slug, within=within)

    def wait(self, seconds: float) -> None:
        """Let time pass, as long as there is any.

        Raises:
            PlatformError: `timeout`.
        """
        if self._left() <= seconds:
            raise PlatformError("timeout", platform=self.slug)
        time.sleep(seconds)

    def _left(self) -> float:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise PlatformError("timeout", platform=self.slug)
        return left
