"""The forward proxy of calls to others, and the hosts that are called without it."""

from dataclasses import dataclass, field

from connections_project.oauth.host_patterns import HostPattern


@dataclass(frozen=True)
class OutboundProxy:
    """Where calls go.

    Args:
        url: The proxy's address, with its credentials if it wants any; empty for none.
        exceptions: Hosts that are called directly.
    """

    url: str = field(default="", repr=False)
    exceptions: tuple[HostPattern, ...] = ()

    def proxies(self, url: str) -> dict[str, str]:
        """Return what requests wants to know for a call; empty where it goes without a proxy."""
        if not self.url or any(one.covers(url) for one in self.exceptions):
            return {}
        return {"http": self.url, "https": self.url}
