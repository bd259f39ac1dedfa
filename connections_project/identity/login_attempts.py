"""Slows the guessing of passwords: fixed windows, counted by django-ratelimit."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django_ratelimit.core import get_usage

from connections_project.core.instruments import RATE_LIMIT_DENIALS
from connections_project.identity.fields import normal_email
from connections_project.middleware.trusted_proxies import network_of


class TooManyAttemptsError(Exception):
    """More sign-ins than are allowed; the window ends in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many sign-ins")
        self.retry_after = max(retry_after, 1)


@dataclass(frozen=True)
class Window:
    """One limit on sign-ins: how many (`rate`, as "5/m"), of whom (`key`)."""

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

    def excuse(self) -> None:
        """Count one attempt as none that failed."""
        self._usage("sign-in successes", increment=True)

    def _usage(self, group: str, *, increment: bool) -> dict[str, Any]:
        usage: dict[str, Any] = get_usage(
            None, group=group, key=lambda *_: self.key, rate=self.rate, increment=increment
        )
        return usage


@dataclass(frozen=True)
class Attempt:
    """An attempt that is allowed; it counts as failed unless it is excused."""

    windows: tuple[Window, ...]

    def excuse(self) -> None:
        """Count it as none that failed: it succeeded, or its password was not looked at."""
        for window in self.windows:
            window.excuse()

    def succeed(self, principal_id: UUID) -> None:
        """Excuse it, and count it among the principal's successes.

        Raises:
            TooManyAttemptsError: The principal has had 30 within the minute.
        """
        self.excuse()
        Window("30/m", f"principal {principal_id}").count_attempt()


def count_departure(*, address: str) -> None:
    """Count one way to the operators' identity provider, for which a session is stored.

    Args:
        address: Where it begins, as text.

    Raises:
        TooManyAttemptsError: There were 60 within the minute.
    """
    Window("60/m", f"to single sign-on from {network_of(address)}").count_attempt()


def begin_single_sign_on(*, address: str) -> Attempt:
    """Count one return from the operators' identity provider, or refuse it.

    Args:
        address: Where it comes from, as text.

    Raises:
        TooManyAttemptsError: 20 within the minute have not let anybody in.
    """
    window = Window("20/m", f"single sign-on from {network_of(address)}")
    window.count_attempt()
    return Attempt((window,))


def begin_attempt(*, email: str, address: str, browser: str | None = None) -> Attempt:
    """Count one attempt to sign in, or refuse it.

    Args:
        email: The address that is tried, in any case.
        address: Where the attempt comes from, as text.
        browser: The one in which this e-mail has signed in before, if it comes from one. What
            others have failed with elsewhere doesn't count there.

    Raises:
        TooManyAttemptsError: One of the limits is reached.
    """
    email, network = normal_email(email), network_of(address)
    # The narrowest comes first, and whom it refuses is not counted on by the wider ones: otherwise
    # one address that hammers an e-mail would lock its owner out everywhere for an hour.
    windows = (
        Window("5/m", f"e-mail {email} from {network}"),
        Window("20/m", f"from {network}"),
        Window("100/h", f"browser {browser}" if browser else f"e-mail {email}"),
    )
    for window in windows:
        window.count_attempt()
    return Attempt(windows)
