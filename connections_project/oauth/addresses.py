"""Addresses as the HTTP client reads them: the host that it calls is the one that was looked at.

`urllib.parse` reads some in another way: a backslash ends a host for urllib3, and not for it.
"""

import re
from typing import NamedTuple

from urllib3.util import parse_url

PORTS = {"http": 80, "https": 443}
# What some readers take for a slash (URL Standard, 4.4), drop, or end an address at. A blank, as
# sloppy platforms write in queries, is sent as %20 by all; within a host it is refused anyway.
_UNCLEAR = re.compile(r"[\x00-\x1f\x7f-\xa0\\]")
# It would end up in log lines, and disguises the real host. A path or a query may have the like.
_USERINFO = re.compile(r"[^/?#]*//[^/?#]*@")


class Origin(NamedTuple):
    """Where a call goes (RFC 6454, section 4), however that is written."""

    scheme: str
    host: str
    port: int


def origin_of(address: str) -> Origin:
    """Return where a call of an address goes.

    Raises:
        ValueError: It is no http or https address, names a user, or isn't read alike by all.
    """
    if _UNCLEAR.search(address) or _USERINFO.match(address):
        raise ValueError("holds what not everybody reads alike")
    parts = parse_url(address)
    scheme, host = parts.scheme or "", parts.host
    if scheme not in PORTS or not host or parts.port == 0:
        raise ValueError("is no address of a server")
    return Origin(scheme, host, parts.port or PORTS[scheme])
