"""Who reads at a provider for a user: with which token, for how long, how much."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from connections_project.core import clock
from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError, is_locked_out
from connections_project.oauth.identity import fetch
from connections_project.oauth.transport import Answer
from connections_project.platforms.registry import Upstream

SECONDS_A_CALL = 10.0
# From the first call to the last row that is stored; nothing is asked once this part of it is over.
SECONDS_IN_ALL = 30.0
PART_TO_READ = 0.8
# What one sync takes in, however much it is sent, since that keeps a process and the database busy:
# 200 transactions a day.
MOST_MOVEMENTS = 20_000
# Some platforms refuse what is older. A little less, since the call comes after the reckoning.
RECENT = timedelta(days=90) - timedelta(minutes=5)


@dataclass
class Reader:
    """Reads on one user's behalf, for so long in all.

    Args:
        began_at: On the monotonic clock.
        until: When the time ends of which transactions are told.
        renew: Gets a fresh access token in place of one that is refused; once.
        room: How many transactions are still taken.
    """

    platform: Platform
    access_token: str = field(repr=False)
    began_at: float
    until: datetime
    renew: Callable[[], str] | None = None
    bytes_read: int = 0
    room: int = field(default_factory=lambda: MOST_MOVEMENTS)

    @property
    def since(self) -> datetime:
        return self.until - RECENT

    @property
    def is_late(self) -> bool:
        """Whether it is too late even for storing what was read."""
        return time.monotonic() >= self.began_at + SECONDS_IN_ALL

    def get(self, url: str) -> Any:
        return self.ask(url).json()

    def ask(self, url: str) -> Answer:
        try:
            answer = self._ask(url)
        except PlatformError as error:
            if self.renew is None or not is_locked_out(error):
                raise
            # Refused once (RFC 6750, section 3.1), at whatever address.
            renew, self.renew = self.renew, None
            self.access_token = renew()
            answer = self._ask(url)
        self.bytes_read += len(answer.body)
        return answer

    def _ask(self, url: str) -> Answer:
        left = self.began_at + SECONDS_IN_ALL * PART_TO_READ - time.monotonic()
        if left <= 0:
            raise PlatformError("timeout", platform=self.platform.slug)
        within = min(left, SECONDS_A_CALL)
        return fetch(self.platform, url=url, access_token=self.access_token, within=within)

    def address(self, template: str, path_id: str) -> str:
        """Fill in the placeholders of an address."""
        filled = template.replace("{account_id}", quote(path_id, safe=""))
        for name, moment in (("from", self.since), ("to", self.until)):
            moment = moment.astimezone(UTC)
            time_told = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            filled = filled.replace(f"{{{name}_date}}", moment.date().isoformat())
            filled = filled.replace(f"{{{name}_time}}", quote(time_told, safe=""))
        return filled


def reader_of(
    upstream: Upstream, *, access_token: str, renew: Callable[[], str] | None = None
) -> Reader:
    """Return who reads a user's accounts, from now on.

    Args:
        renew: See `Reader`; None where there is none.
    """
    began_at, until = time.monotonic(), clock.now()
    return Reader(upstream.platform, access_token, began_at, until, renew)
