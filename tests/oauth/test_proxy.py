"""Calls to platforms through a forward proxy (OUTBOUND_PROXY, NO_PROXY)."""

import pytest

from connections_project.oauth.errors import PlatformError
from connections_project.oauth.proxy import OutboundProxy, is_excepted
from connections_project.oauth.transport import Request, send, use_proxy
from tests.support.forward_proxy import ForwardProxy, proxy
from tests.support.platform_server import Answer, PlatformServer, free_port

__all__ = ["proxy"]


def get(url: str) -> int:
    return send(Request("GET", url), platform="bank", within=5.0).status


def test_calls_go_through_the_proxy(server: PlatformServer, proxy: ForwardProxy) -> None:
    server.on("GET", "/me", Answer(200))
    use_proxy(OutboundProxy(proxy.url))
    assert get(f"{server.url}/me") == 200
    assert proxy.seen == [("GET", f"{server.url}/me", proxy.credentials)]


def test_exceptions_are_called_directly(server: PlatformServer, proxy: ForwardProxy) -> None:
    server.on("GET", "/me", Answer(200))
    use_proxy(OutboundProxy(proxy.url, ("127.0.0.0/8",)))
    assert get(f"{server.url}/me") == 200
    assert proxy.seen == []


def test_https_goes_through_a_tunnel(proxy: ForwardProxy) -> None:
    use_proxy(OutboundProxy(proxy.url))
    with pytest.raises(PlatformError) as caught:
        get("https://bank.example.com/me")
    # The proxy of this test refuses tunnels; so nothing reached anybody.
    assert caught.value.code == "connect_error"
    assert proxy.seen == [("CONNECT", "bank.example.com:443", proxy.credentials)]


def test_a_proxy_that_is_away_is_told_apart_from_none() -> None:
    use_proxy(OutboundProxy(f"http://user:secret@127.0.0.1:{free_port()}"))
    try:
        with pytest.raises(PlatformError) as caught:
            get("https://bank.example.com/me")
    finally:
        use_proxy(OutboundProxy())
    assert caught.value.code == "connect_error"
    assert "secret" not in repr(caught.value)


def test_a_proxys_credentials_are_not_shown() -> None:
    assert "secret" not in repr(OutboundProxy("http://user:secret@proxy.example.com"))


@pytest.mark.parametrize(
    ("exception", "url"),
    [
        ("*", "https://bank.example.com"),
        ("example.com", "https://bank.example.com"),
        (".example.com", "https://bank.example.com"),
        ("*.example.com", "https://Bank.Example.COM"),
        ("bank.example.com:443", "https://bank.example.com"),
        ("10.0.0.0/8", "https://10.1.2.3/token"),
        ("10.1.2.3:8443", "https://10.1.2.3:8443/token"),
        ("::1", "http://[::1]:9000"),
        ("[::1]", "http://[::1]:9000"),
    ],
)
def test_an_exception_covers(exception: str, url: str) -> None:
    assert is_excepted(url, [exception])


@pytest.mark.parametrize(
    ("exception", "url"),
    [
        ("", "https://bank.example.com"),
        ("example.com", "https://bankexample.com"),
        ("bank.example.com:8443", "https://bank.example.com"),
        ("10.0.0.0/8", "https://11.1.2.3"),
        ("10.0.0.0/8", "https://bank.example.com"),
    ],
)
def test_an_exception_does_not_cover(exception: str, url: str) -> None:
    assert not is_excepted(url, [exception])
