"""Calls to addresses that somebody else chose: never to a place that only we can reach.

The address is looked at when it is connected to, after its name was resolved, so that a name that
answers otherwise the second time leads nowhere (DNS rebinding). No redirects, no proxies, an answer
is read up to a limit, and all of it ends in time.
"""

import os
import socket
import time
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Literal

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from connections_project.oauth.answering_session import AnsweringSession
from connections_project.oauth.deadline import (
    SAFE_METHODS,
    Call,
    Guard,
    GuardedConnection,
    GuardedPool,
    GuardedTLSConnection,
    GuardedTLSPool,
    is_out_of_files,
)

CONNECT_SECONDS = 3.0
CHUNK = 16 * 1024

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
FetchCode = Literal["address_refused", "no_files", "connect_error", "timeout", "reset", "malformed"]
# RFC 6052, section 2.1: an IPv4 address lies in the last 32 bits.
NAT64 = ip_network("64:ff9b::/96")
# Not globally reachable (IANA, "Special-Purpose Address Registry"), which not every Python knows.
SPECIAL = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"), ip_network("3fff::/20"))


class FetchError(Exception):
    """A call did not come to an answer.

    Args:
        code: "address_refused", "no_files" and "connect_error" if surely nothing was sent;
            "timeout", "reset", "malformed" otherwise.
    """

    def __init__(self, code: FetchCode) -> None:
        super().__init__(code)
        self.code: FetchCode = code


class AddressRefusedError(OSError):
    """A name leads nowhere that may be connected to."""


@dataclass(frozen=True)
class Fetched:
    """An answer; the body as far as it was read."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    is_whole: bool = True


@dataclass(frozen=True)
class Policy:
    """Where one may go.

    Args:
        networks: Besides global addresses; only there http is allowed too.
    """

    networks: tuple[Network, ...] = ()

    def allows(self, address: str, *, scheme: str) -> bool:
        """Whether an address may be connected to.

        Args:
            address: An IP address, with its zone where it has one.
            scheme: "http" or "https".
        """
        found = _embedded(ip_address(address.partition("%")[0]))
        if any(found in network for network in self.networks):
            return True
        if isinstance(found, IPv6Address) and (found.is_site_local or found.is_reserved):
            # Such as an IPv4-compatible address, which `is_global` takes for a public one.
            return False
        if any(found in network for network in SPECIAL):
            return False
        return scheme == "https" and found.is_global and not found.is_multicast


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


_policy: ContextVar[Policy] = ContextVar("policy")


class GuardedClient:
    """Makes calls under one policy, over connections of its own.

    Args:
        networks: See `Policy`.
        largest: How many bytes of a body are read.
        user_agent: How it introduces itself.
    """

    def __init__(
        self, *, networks: Collection[Network], largest: int, user_agent: str = "connections/1.0"
    ) -> None:
        self._policy = Policy(tuple(networks))
        self._largest = largest
        self._session = _session(user_agent)

    def send(
        self,
        method: str,
        url: str,
        *,
        within: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fetched:
        """Make one call and give the answer, whatever its status; a redirect is an answer too.

        Args:
            url: http or https.
            within: Seconds for all of it: name lookup, connecting, sending and the last byte.

        Raises:
            FetchError: See there.
        """
        _policy.set(self._policy)
        until = time.monotonic() + within
        call = Call(lambda: self._exchange(method, url, headers or {}, body))
        try:
            return call.run(within=within)
        except TimeoutError:
            code: FetchCode = "timeout" if call.guard.sent else "connect_error"
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            code = _code_of(error, call.guard)
        if call.guard.may_send_again(is_safe=method in SAFE_METHODS):
            left = until - time.monotonic()
            return self.send(method, url, within=left, headers=headers, body=body)
        # Outside of the except block: texts of those errors quote the address with its query.
        raise FetchError(code)

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Fetched:
        with self._session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=(CONNECT_SECONDS, None),
            allow_redirects=False,
            stream=True,
        ) as response:
            read = _read(response, self._largest)
            is_whole = len(read) <= self._largest
            # What is left unread would otherwise be waited for before the next call.
            if not is_whole:
                response.raw.close()
            return Fetched(response.status_code, response.headers, read[: self._largest], is_whole)


def _read(response: requests.Response, largest: int) -> bytes:
    # Decoded bytes are counted: a small body may unpack into gigabytes.
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        body += chunk
        if len(body) > largest:
            break
    return bytes(body)


def _session(user_agent: str) -> requests.Session:
    session = AnsweringSession()
    # No netrc, and no proxy, which would connect to what we must not.
    session.trust_env = False
    # The operator's own certificate authorities, by the name that requests itself gives them.
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": user_agent})
    adapter = _Adapter(pool_connections=32, pool_maxsize=32)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class _Checked(GuardedConnection):
    """A connection that goes nowhere but where the policy allows."""

    scheme = "http"

    def open_socket(self) -> socket.socket:
        failure: OSError = AddressRefusedError()
        found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        for address in dict.fromkeys(str(one[4][0]) for one in found):
            if not _policy.get().allows(address, scheme=self.scheme):
                continue
            try:
                return create_connection(
                    (address, self.port), self.timeout, socket_options=self.socket_options
                )
            except OSError as error:
                failure = error
        raise failure


class _CheckedTLS(_Checked, GuardedTLSConnection):
    scheme = "https"


class _Pool(GuardedPool):
    ConnectionCls = _Checked


class _TLSPool(GuardedTLSPool):
    ConnectionCls = _CheckedTLS


def _code_of(error: Exception, guard: Guard) -> FetchCode:
    causes = _causes(error)
    if any(isinstance(each, AddressRefusedError) for each in causes):
        return "address_refused"
    if not guard.sent:
        return "no_files" if is_out_of_files(error) else "connect_error"
    if any(isinstance(each, TimeoutError | requests.Timeout) for each in causes):
        return "timeout"
    is_broken = any(isinstance(each, ConnectionError) for each in causes)
    return "reset" if is_broken else "malformed"


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error with those inside: requests and urllib3 wrap one another's as arguments."""
    inner = [*error.args, error.__cause__, getattr(error, "reason", None)]
    found = [each for each in inner if isinstance(each, BaseException)]
    return [error, *(cause for each in found for cause in _causes(each))]
