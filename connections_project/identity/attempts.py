"""Slows the guessing of passwords: fixed windows, counted by django-ratelimit."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from django_ratelimit.core import get_usage

from connections_project.core.instruments import RATE_LIMIT_DENIALS
from connections_project.identity.fields import normal_email


class TooManyAttemptsError(Exception):
    """More failed sign-ins than are allowed.

    Args:
        retry_after: Seconds until the window ends.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many failed sign-ins")
        self.retry_after = max(retry_after, 1)


@dataclass(frozen=True)
class Window:
    """One limit on failed sign-ins: how many (`rate`, as "5/m"), of whom (`key`)."""

    rate: str
    key: str

    def count_attempt(self) -> None:
        """Count an attempt before its password is looked at, so that no crowd slips past.

        An attempt counts as failed until it has succeeded.

        Raises:
            TooManyAttemptsError: The limit of failed ones is reached.
        """
        attempts = self._usage("sign-in attempts", increment=True)
        if not attempts["should_limit"]:
            return
        successes = self._usage("sign-in successes", increment=False)
        if attempts["count"] - successes["count"] > attempts["limit"]:
            RATE_LIMIT_DENIALS.labels("LOGIN").inc()
            raise TooManyAttemptsError(attempts["time_left"])

    def count_success(self) -> None:
        self._usage("sign-in successes", increment=True)

    def _usage(self, group: str, *, increment: bool) -> dict[str, Any]:
        usage: dict[str, Any] = get_usage(
            None, group=group, key=lambda *_: self.key, rate=self.rate, increment=increment
        )
        return usage


@dataclass(frozen=True)
class Attempt:
    """An attempt that is allowed; it counts as failed unless `succeeded` is called."""

    windows: tuple[Window, ...]

    def succeeded(self) -> None:
        for window in self.windows:
            window.count_success()


def begin_attempt(*, email: str, address: str) -> Attempt:
    """Count one attempt to sign in, or refuse it.

    Args:
        email: The address that is tried, in any case.
        address: Where the attempt comes from, as text.

    Raises:
        TooManyAttemptsError: One of the limits is reached.
    """
    email, network = normal_email(email), _network(address)
    # The narrowest comes first, and whom it refuses is not counted on by the wider ones: otherwise
    # one address that hammers an e-mail would lock its owner out everywhere for an hour.
    windows = (
        Window("5/m", f"e-mail {email} from {network}"),
        Window("20/m", f"from {network}"),
        Window("100/h", f"e-mail {email}"),
    )
    for window in windows:
        window.count_attempt()
    return Attempt(windows)


def _network(address: str) -> str:
    """Return a subscriber's network: an IPv4 address, or an IPv6 /64 (RFC 6177)."""
    try:
        return str(ip_network(f"{address}/{64 if ':' in address else 32}", strict=False))
    except ValueError:
        return address
