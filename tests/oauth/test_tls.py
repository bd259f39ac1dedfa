"""Over TLS: certificates are checked, connections kept, and the deadline holds as well."""

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from connections_project.oauth import transport
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.proxy import OutboundProxy
from connections_project.oauth.transport import Request, send, use_proxy
from tests.support.platform_server import Answer, PlatformServer


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[PlatformServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with PlatformServer(tls=context) as running:
        yield running


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust this test's authority as if it were a public one."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setattr(transport._session, "verify", str(tmp_path / "authority.pem"))


def failure(url: str, *, within: float) -> tuple[str, float]:
    started = time.monotonic()
    with pytest.raises(PlatformError) as caught:
        send(Request("GET", url), platform="bank", within=within)
    return caught.value.code, time.monotonic() - started


@pytest.mark.usefixtures("trusting")
def test_connections_are_reused_within_the_deadline(tls_server: PlatformServer) -> None:
    tls_server.on(
        "GET", "/", Answer(json={}), Answer(json={}), Answer(body=b"x" * 99, drip_body=0.1)
    )

    for _ in range(2):
        assert send(Request("GET", f"{tls_server.url}/"), platform="bank", within=5).status == 200
    code, seconds = failure(f"{tls_server.url}/", within=0.3)

    assert code == "timeout"
    assert seconds < 1.0
    assert tls_server.connection_count == 1


def test_an_untrusted_certificate_is_refused_unsent(
    tls_server: PlatformServer,
) -> None:
    tls_server.on("GET", "/", Answer(json={}))

    assert failure(f"{tls_server.url}/", within=5)[0] == "connect_error"
    assert tls_server.requests == []


@pytest.fixture
def through(tls_server: PlatformServer) -> Iterator[PlatformServer]:
    """A proxy that is spoken to by TLS; it wants credentials."""
    use_proxy(OutboundProxy(tls_server.url.replace("://", "://user:word@")))
    yield tls_server
    use_proxy(OutboundProxy())


def test_an_untrusted_proxy_is_told_nothing(through: PlatformServer) -> None:
    for url in ("http://stamps.example.com/", "https://bank.example.com/"):
        assert failure(url, within=5)[0] == "connect_error"
    assert through.requests == []


@pytest.mark.usefixtures("trusting")
def test_a_trusted_proxy_is_asked(through: PlatformServer) -> None:
    request = Request("GET", "http://stamps.example.com/")
    assert send(request, platform="stamps", within=5).status == 404
    assert through.requests[0].headers["Proxy-Authorization"]


def test_a_handshake_that_never_comes_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, seconds = failure(f"https://127.0.0.1:{silent.getsockname()[1]}/", within=0.3)

    assert code == "connect_error"
    assert seconds < 1.0


def test_a_hanging_name_server_is_left_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hang(*_: object) -> list[object]:
        time.sleep(1.5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    code, seconds = failure("https://bank.test/", within=0.2)

    assert code == "connect_error"
    assert seconds < 1.0


def test_a_connection_that_comes_too_late_is_not_used(
    server: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh that was given up must not spend the token behind our back."""
    look_up = socket.getaddrinfo

    def slowly(*arguments: object, **keywords: object) -> object:
        time.sleep(0.5)
        return look_up(*arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", slowly)

    assert failure(f"{server.url}/token", within=0.2)[0] == "connect_error"
    time.sleep(0.8)
    assert server.requests == []
