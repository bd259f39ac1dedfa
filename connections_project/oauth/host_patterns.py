"""Hosts as an operator writes them: names, addresses and networks, with a port or without."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from urllib3.util import parse_url

Network = IPv4Network | IPv6Network

EVERY_HOST = "*"
# An address or network in brackets, which a port needs that follows an IPv6 address (RFC 3986,
# section 3.2.2); the length of the prefix may stand inside of them or behind.
_IN_BRACKETS = re.compile(r"\[([^\[\]]+)\](/\d+)?")
_WITH_PORT = re.compile(r"(.+):([0-9]{1,5})")
_WRITTEN_NAME = re.compile(r"(?:\*?\.)?([^\s*/\\@?#:%\[\]]+)")
# What ends in a number is an address (URL Standard, "ends in a number checker"); one that isn't
# written as usual would be compared as a name, and never equal.
_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*(?!(?:\d+|0x[0-9a-f]*)\Z)[a-z0-9_-]+")
# RFC 4291, section 2.5.5.2.
_MAPPED = IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True)
class HostPattern:
    """Hosts that are meant.

    Args:
        host: A name, which stands for its subdomains too, as the name service has it; a network;
            or `EVERY_HOST`.
        port: None for each.
    """

    host: str | Network
    port: int | None = None

    def covers(self, url: str) -> bool:
        """Whether the host of an address is meant; a name is not looked up."""
        try:
            parts = parse_url(url)
        except ValueError:
            # Nobody calls it: the HTTP library reads addresses in the same way.
            return False
        port = parts.port or {"http": 80}.get(parts.scheme or "", 443)
        return self.port in {None, port} and self._covers(_bare(parts.host or ""))

    def _covers(self, host: str) -> bool:
        if isinstance(self.host, str):
            return self.host in {EVERY_HOST, host} or host.endswith(f".{self.host}")
        try:
            address = ip_address(host)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any(one in self.host for one in (address, mapped) if one)


def host_pattern(text: str) -> HostPattern:
    """Parse `example.com`, `*.example.com:8443`, `10.0.0.0/8`, `[fd00::/8]:443`, `*` and the like.

    Raises:
        ValueError: It is none of these.
    """
    if network := _network(text):
        return HostPattern(network)
    host, port = text, None
    if found := _WITH_PORT.fullmatch(text):
        host, port = found[1], int(found[2])
        if not 1 <= port <= 65_535:
            raise ValueError
    return HostPattern(EVERY_HOST if host == EVERY_HOST else _network(host) or _name(host), port)


def _network(text: str) -> Network | None:
    plain = _IN_BRACKETS.sub(r"\1\2", text) if _IN_BRACKETS.fullmatch(text) else text
    try:
        found = ip_network(plain, strict=False)
    except ValueError:
        return None
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        length = found.prefixlen - _MAPPED.prefixlen
        return IPv4Network((int(found.network_address) & 0xFFFFFFFF, length))
    return found


def _name(text: str) -> str:
    """Return a name as calls have it: in small letters and ASCII (RFC 5891, section 4.4)."""
    written = _WRITTEN_NAME.fullmatch(text)
    name = written and _bare(parse_url(f"https://{written[1]}").host or "")
    if not name or not _NAME.fullmatch(name):
        raise ValueError
    return name


def _bare(host: str) -> str:
    """Return a host without brackets and zone, or the dot that ends a full name."""
    return host.strip("[]").partition("%")[0].removesuffix(".")
