"""What may go wrong at a platform, in one vocabulary.

Texts are put together from our own words: a platform's response body may hold a token.
"""

from dataclasses import dataclass, field
from typing import Literal

ErrorCode = Literal[
    "not_asked",  # Too many wait for it, or it is known to be down: nothing was sent.
    "no_files",  # This process may open no more, which is our own fault: nothing was sent.
    "connect_error",  # Surely nothing was sent: no address, no connection, no TLS.
    "timeout",
    "reset",
    "rate_limited",
    "server_error",
    "unavailable",
    "redirected",
    "too_large",
    "malformed",
    "refused",
    "invalid_client",
    "dead_grant",
]
# The same call would be answered the same way again; everything else may pass.
PERMANENT: frozenset[str] = frozenset({"refused", "invalid_client", "dead_grant"})


@dataclass
class Received:
    """An answer as far as it has come. It may hold tokens: no `repr` shows it.

    Args:
        body: As it was before content coding, as far as that unpacks.
        wire: The beginning of the body as it came.
    """

    status: int = 0
    body: bytearray = field(default_factory=bytearray, repr=False)
    wire: bytes = field(default=b"", repr=False)

    @property
    def success(self) -> tuple[bytes, ...]:
        """Return the body, in both forms, of what is said to be a success; of others none."""
        return (bytes(self.body), self.wire) if 200 <= self.status < 300 else ()


class PlatformError(Exception):
    """A call to a platform failed.

    Args:
        code: What happened, for programs.
        status: The HTTP status that the platform answered, if it answered.
        retry_after: Seconds that the platform asks to be left alone (RFC 9110, section 10.2.3).

    `granted_by` is who gave the grant that it is about, where that was known by then; `received` is
    what had come of an answer that broke off.
    """

    granted_by: str | None = None
    received: Received | None = None

    def __init__(
        self,
        code: ErrorCode,
        *,
        platform: str,
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{platform}: {code}" + (f" (HTTP {status})" if status else ""))
        self.code: ErrorCode = code
        self.platform = platform
        self.status = status
        self.retry_after = retry_after

    @property
    def permanent(self) -> bool:
        """Whether trying again is useless."""
        return self.code in PERMANENT


class DeadGrant(PlatformError):
    """The platform no longer honours the grant: only the user can give a new one.

    Args:
        becomes: What the connection is from now on: "expired" or "revoked".
    """

    def __init__(self, *, platform: str, status: int, becomes: str) -> None:
        super().__init__("dead_grant", platform=platform, status=status)
        self.becomes = becomes


def is_locked_out(error: PlatformError) -> bool:
    """Whether an access token was no good (RFC 6750, section 3.1): a refresh may help."""
    return isinstance(error, DeadGrant) or error.status == 401


def as_dead_grant(error: PlatformError) -> DeadGrant:
    """Say of a token that was no good, and that no refresh has replaced, that its grant is dead.

    It is so as the catalogue's matchers say, and else revoked.
    """
    if isinstance(error, DeadGrant):
        return error
    return DeadGrant(platform=error.platform, status=error.status or 401, becomes="revoked")
