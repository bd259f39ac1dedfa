"""What an operator asks for, what it would touch, and what became of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from audit.record import Origin
from connections_project.connections.disconnect import DisconnectRequest
from connections_project.connections.disconnect import Failure as Failure
from connections_project.core.text import InvalidReasonError as InvalidReasonError
from connections_project.core.text import reason_of


@dataclass(frozen=True)
class DisconnectOptions:
    """How connections are to be ended.

    Args:
        reason: Why, 1 to 512 characters once the space around it is gone.
        revoke: Whether to revoke at the platforms. For social accounts only where the
            tokens are erased too: these keep their tokens otherwise, as after any disconnect
            (docs/api.md, "Revocation").
        cancel_schedules: Cancel what is pending or queued on a channel, which is left alone
            otherwise.
        erase_tokens: Erase the tokens that a social account would keep, also those that an
            earlier disconnect has kept.
        cause: See `DisconnectRequest`.

    Raises:
        InvalidReasonError: On creation.
    """

    reason: str
    revoke: bool = True
    cancel_schedules: bool = False
    erase_tokens: bool = False
    cause: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", reason_of(self.reason))

    def request(self, origin: Origin, details: Mapping[str, Any]) -> DisconnectRequest:
        """Return what is asked of the apps, for whoever asks it."""
        return DisconnectRequest(origin, **asdict(self), details=details)


@dataclass(frozen=True)
class BlastRadius:
    """What a forced disconnect would touch, were it done now.

    Args:
        connections: How many would be ended; those that are over already don't count.
        owners: How many users, or teams of social accounts, they belong to.
        platforms: How many of the connections are at which platform, by slug.
        active_schedules: Pending and queued schedules of these channels.
        grant_siblings: Other live connections, of any app and owner, on the same grants.
        revocations: How many the platforms would be sent.
    """

    connections: int
    owners: int
    platforms: Mapping[str, int]
    active_schedules: int
    grant_siblings: int
    revocations: int


@dataclass(frozen=True)
class Result:
    """What became of a selection.

    Args:
        disconnected: How many were ended now.
        passed_over: How many were over already, or are gone.
        failures: The others, each left as it was.
        revocations: How many revocations are pending for them.
    """

    disconnected: int = 0
    passed_over: int = 0
    failures: tuple[Failure, ...] = ()
    revocations: int = 0

    @property
    def processed(self) -> int:
        return self.disconnected + self.passed_over + len(self.failures)

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.disconnected + other.disconnected,
            self.passed_over + other.passed_over,
            self.failures + other.failures,
            self.revocations + other.revocations,
        )
