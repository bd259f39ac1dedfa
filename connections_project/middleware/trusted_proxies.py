"""Who calls, and over what, where proxies stand in front (`TRUSTED_PROXY_COUNT` of them).

Each trusted proxy appends what it saw, so the last entries of a header are ours and the others
are whatever the caller wrote: entries are counted from the right.
"""

import ipaddress
import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_WITH_PORT = re.compile(r"\[(?P<v6>[^]]*)\](?::\d+)?|(?P<v4>[\d.]+):\d+")


def client_address(request: HttpRequest) -> str:
    """Return the caller's IP address, in its canonical form; empty where the server knows none."""
    direct = request.META.get("REMOTE_ADDR", "")
    forwarded = _appended(request, "X-Forwarded-For")
    return (forwarded and _canonical(forwarded)) or _canonical(direct)


def client_network(request: HttpRequest) -> str:
    """Return whose bucket the caller draws on where nobody knows who it is: `network_of` it."""
    return network_of(client_address(request))


def network_of(address: str) -> str:
    """Return a subscriber's network: an IPv4 address, or an IPv6 /64, all of which is one's own
    to choose from (RFC 6177)."""
    try:
        return str(ipaddress.ip_network(f"{address}/{64 if ':' in address else 32}", strict=False))
    except ValueError:
        return address


class ForwardedProtoMiddleware:
    """Use `X-Forwarded-Proto` as the request's scheme, behind trusted proxies only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scheme = _appended(request, "X-Forwarded-Proto").lower()
        if scheme in {"http", "https"}:
            request.META["wsgi.url_scheme"] = scheme
        return self.get_response(request)


def _appended(request: HttpRequest, header: str) -> str:
    """Return what the outermost trusted proxy wrote; empty where the request came past them."""
    hops = [hop.strip() for hop in request.headers.get(header, "").split(",")]
    count = settings.TRUSTED_PROXY_COUNT
    return hops[-count] if 0 < count <= len(hops) else ""


def _canonical(text: str) -> str:
    """Strip port, brackets and zone, and unmap IPv4 (RFC 4291, 2.5.5.2): one caller, one bucket."""
    match = _WITH_PORT.fullmatch(text)
    host = (match["v6"] or match["v4"]) if match else text
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
