"""The one place that talks HTTP to platforms, and where its failures become our own words."""

import logging
import os
import re
import time
from dataclasses import replace
from http.client import HTTPException, IncompleteRead
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from connections_project import __version__
from connections_project.oauth.answering_session import AnsweringSession
from connections_project.oauth.deadline import (
    SAFE_METHODS,
    Call,
    Guard,
    GuardedPool,
    GuardedTLSPool,
    allowed,
    is_out_of_files,
    read_on,
)
from connections_project.oauth.errors import ErrorCode, PlatformError, Received
from connections_project.oauth.messages import Answer as Answer
from connections_project.oauth.messages import Request as Request
from connections_project.oauth.observers import current_kind, observed
from connections_project.oauth.platform_entries import Platform
from connections_project.oauth.proxy import OutboundProxy

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
LARGEST_BODY = 2 * 1024 * 1024
CHUNK = 16 * 1024
# In the words of http.client, whatever the proxy's own are.
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_POOLS = {"http": GuardedPool, "https": GuardedTLSPool}


def send(request: Request, *, platform: Platform | str, within: float) -> Answer:
    """Make one call and return the answer, whatever its status.

    Args:
        platform: Whose headers are sent, and whose slug errors bear; a slug alone where the
            catalogue says nothing of who is asked.
        within: Seconds for all of it: name lookup, connecting, sending and the last byte.

    Raises:
        PlatformError: `connect_error` or `no_files` if surely nothing was sent; else `timeout`,
            `reset`, `too_large`, `malformed`.
    """
    within = allowed(within)
    if isinstance(platform, str):
        return observed(lambda: _send(request, platform, within), platform=platform)
    slug, headers = platform.slug, {**platform.request_headers, **request.headers}
    as_wanted, passing = replace(request, headers=headers), platform.passing_errors

    def send_it() -> Answer:
        answer = _send(as_wanted, slug, within)
        return replace(answer, passing_errors=passing) if passing else answer

    return observed(send_it, platform=slug)


def _send(request: Request, platform: str, within: float) -> Answer:
    until, received = time.monotonic() + within, Received()
    call = Call(lambda: _exchange(request, platform, received))
    try:
        return call.run(within=within)
    except PlatformError as error:
        failure, why = error, ""
    except TimeoutError as error:
        code: ErrorCode = "timeout" if call.guard.sent else "connect_error"
        failure, why = PlatformError(code, platform=platform), _why(error)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        failure, why = PlatformError(_code_of(error, call.guard), platform=platform), _why(error)
    if call.guard.may_send_again(is_safe=_is_safe(request)):
        return _send(request, platform, until - time.monotonic())
    if failure.code == "no_files":
        logger.error("No call to %s: this process has too many open files", platform)
    if failure.code == "connect_error" and _proxy.proxies(request.url):
        logger.warning("OUTBOUND_PROXY: no connection to %s (%s)", platform, why)
    received.wire = bytes(call.guard.wire)
    failure.received = received
    # Outside of the except block: texts of those errors quote the address with its query.
    raise failure


def _is_safe(request: Request) -> bool:
    """Whether a call changes nothing; some platforms take as GET what spends a token."""
    return request.method in SAFE_METHODS and current_kind() not in {"exchange", "refresh"}


class _Adapter(HTTPAdapter):
    """Connections whose calls end in time; none is ever tried twice: a code is spent by one try."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002
        """Have the certificate checked of whoever is connected to by TLS.

        That may be a proxy, which gets its credentials also where the address itself is http.
        """
        super().cert_verify(conn, "https://", verify, cert)  # type: ignore[no-untyped-call]

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _new_session() -> requests.Session:
    session = AnsweringSession()
    # No netrc: it would replace our Authorization header. No proxies from the environment either.
    session.trust_env = False
    # The operator's own certificate authorities, by the name that requests itself gives them.
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    agent = f"connections/{__version__}"
    session.headers.update({"User-Agent": agent, "Accept": "application/json"})
    adapter = _Adapter(pool_connections=32, pool_maxsize=32)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


_session = _new_session()
_proxy = OutboundProxy()


def use_proxy(proxy: OutboundProxy) -> None:
    """Have all calls from now on go through a proxy, those to its exceptions excepted."""
    global _proxy
    _proxy = proxy


def _exchange(request: Request, platform: str, received: Received) -> Answer:
    with _session.request(
        request.method,
        request.url,
        headers=dict(request.headers),
        data=request.form if request.body is None else request.body,
        json=request.json,
        files=request.files,
        proxies=_proxy.proxies(request.url),
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        # A 307 would re-post the code and our secret to wherever it points.
        allow_redirects=False,
        stream=True,
    ) as response:
        received.status = response.status_code
        try:
            _read(response, platform, received)
        except DecodeError:
            # One that is falsely said to be packed may hold tokens.
            read_on()
            raise
        body = bytes(received.body)
        return Answer(platform, response.status_code, response.headers, body)


def _read(response: requests.Response, platform: str, received: Received) -> None:
    # As it comes: of an answer that breaks off, what has come may be tokens. Decoded bytes are
    # counted, since a small body may unpack into gigabytes.
    while piece := response.raw.read1(CHUNK, decode_content=True):
        received.body += piece
        if len(received.body) > LARGEST_BODY:
            raise PlatformError("too_large", platform=platform, status=received.status)


def _why(error: Exception) -> str:
    """Return what may be logged of an error; its text quotes the address with its query."""
    refused = _REFUSED_TUNNEL.search(str(error))
    return f"HTTP {refused[1]}" if refused else type(error).__name__


def _code_of(error: Exception, guard: Guard) -> ErrorCode:
    if not guard.sent:
        return "no_files" if is_out_of_files(error) else "connect_error"
    causes = _causes(error)
    if any(isinstance(each, requests.Timeout | ReadTimeoutError | TimeoutError) for each in causes):
        return "timeout"
    if any(isinstance(each, ConnectionError | IncompleteRead) for each in causes):
        return "reset"
    # Not HTTP, or a content coding that doesn't unpack.
    garbled = (DecodeError, requests.exceptions.ContentDecodingError, HTTPException, ValueError)
    return "malformed" if any(isinstance(each, garbled) for each in causes) else "reset"


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error with those inside: requests and urllib3 wrap one another's as arguments."""
    inner = [each for each in error.args if isinstance(each, BaseException)]
    return [error, *(cause for each in inner for cause in _causes(each))]
