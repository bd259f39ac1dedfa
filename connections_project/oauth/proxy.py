"""The forward proxy of calls to others, and the hosts that are called without it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


@dataclass(frozen=True)
class OutboundProxy:
    """Where calls go.

    Args:
        url: The proxy's address, with its credentials if it wants any; empty for none.
        exceptions: Hosts that are called directly: names, which stand for their subdomains too,
            addresses, networks such as 10.0.0.0/8, each with a port or without; `*` for all.
    """

    url: str = field(default="", repr=False)
    exceptions: tuple[str, ...] = ()

    def proxies(self, url: str) -> dict[str, str]:
        """Return what requests wants to know for a call; empty where it goes without a proxy."""
        if not self.url or is_excepted(url, self.exceptions):
            return {}
        return {"http": self.url, "https": self.url}


def is_excepted(url: str, exceptions: Iterable[str]) -> bool:
    """Whether one of the exceptions speaks of the host of an address."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or {"http": 80}.get(parts.scheme, 443)
    return any(_covers(one.strip().lower(), host, port) for one in exceptions)


def _covers(exception: str, host: str, port: int) -> bool:
    if exception == "*":
        return True
    try:
        return ip_address(host) in ip_network(exception.strip("[]"), strict=False)
    except ValueError:
        name, _, only_port = exception.removeprefix("*").lstrip(".").partition(":")
    is_same_host = bool(name) and (host == name or host.endswith(f".{name}"))
    return is_same_host and only_port in {"", str(port)}
