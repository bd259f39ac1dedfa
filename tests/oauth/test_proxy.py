"""Calls to platforms through a forward proxy (OUTBOUND_PROXY, NO_PROXY)."""

import pytest

from connections_project.oauth.errors import PlatformError
from connections_project.oauth.host_patterns import host_pattern
from connections_project.oauth.proxy import OutboundProxy
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
    use_proxy(OutboundProxy(proxy.url, (host_pattern("127.0.0.0/8"),)))
    assert get(f"{server.url}/me") == 200
    assert proxy.seen == []


def test_https_goes_through_a_tunnel(proxy: ForwardProxy) -> None:
    use_proxy(OutboundProxy(proxy.url))
    with pytest.raises(PlatformError) as caught:
        get("https://bank.example.com/me")
    # The proxy of this test refuses tunnels; so nothing reached anybody.
    assert caught.value.code == "connect_error"
    assert proxy.seen == [("CONNECT", "bank.example.com:443", proxy.credentials)]


def test_why_a_proxy_connects_nobody_is_logged(
    proxy: ForwardProxy, caplog: pytest.LogCaptureFixture
) -> None:
    use_proxy(OutboundProxy(proxy.url, (host_pattern("127.0.0.1"),)))
    for url in ("https://bank.example.com/me?code=hush", f"http://127.0.0.1:{free_port()}/me"):
        with pytest.raises(PlatformError):
            get(url)
    assert caplog.messages == ["OUTBOUND_PROXY: no connection to bank (HTTP 403)"]


def test_an_address_that_is_none_is_not_called(proxy: ForwardProxy) -> None:
    use_proxy(OutboundProxy(proxy.url, (host_pattern("example.com"),)))
    with pytest.raises(PlatformError) as caught:
        get("https://[bank.example.com/me")
    assert (caught.value.code, proxy.seen) == ("connect_error", [])


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


def is_direct(url: str, exception: str) -> bool:
    return not OutboundProxy("http://proxy.example.com", (host_pattern(exception),)).proxies(url)


COVERED = [
    ("*", "https://bank.example.com"),
    ("*:8443", "https://bank.example.com:8443"),
    ("example.com", "https://bank.example.com"),
    (".example.com", "https://bank.example.com"),
    ("*.example.com", "https://Bank.Example.COM"),
    ("*.Example.COM", "https://example.com"),
    ("bank.example.com:443", "https://bank.example.com"),
    ("bank.example.com:80", "http://bank.example.com"),
    ("example.com.", "https://bank.example.com"),
    ("example.com.:443", "https://bank.example.com."),
    ("localhost", "http://localhost:9000"),
    ("under_score", "http://under_score/"),
    ("xn--bcher-kva.example", "https://bücher.example"),
    ("bücher.example", "https://xn--bcher-kva.example"),
    ("Bücher.example:443", "https://shop.BÜCHER.example"),
    ("10.0.0.0/8", "https://10.1.2.3/token"),
    ("10.1.2.3/8", "https://10.3.2.1/token"),
    ("10.0.0.0/8:8443", "https://10.1.2.3:8443/token"),
    ("10.1.2.3:8443", "https://10.1.2.3:8443/token"),
    ("10.1.2.3", "https://10.1.2.3./token"),
    ("10.0.0.0/8", "https://[::ffff:10.1.2.3]/token"),
    ("::ffff:10.1.2.3", "https://10.1.2.3/token"),
    ("[::ffff:10.0.0.0]/104:443", "https://10.1.2.3/token"),
    ("::/0", "https://[::ffff:10.1.2.3]/token"),
    ("::1", "http://[::1]:9000"),
    ("[::1]", "http://[::1]:9000"),
    ("[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000"),
    ("[FD00::5]:443", "https://[fd00::5]"),
    ("fd00::/8", "https://[fd00::5]"),
    ("[fd00::/8]", "https://[fd00::5]"),
    ("[fd00::/8]:443", "https://[fd00::5]"),
    ("[fd00::]/8:443", "https://[fd00::5]"),
    ("fd00::/8:443", "https://[fd00::5]"),
    ("fe80::/10", "https://[fe80::1%25eth0]"),
    ("fe80::1%eth0", "https://[fe80::1%25eth0]"),
]


@pytest.mark.parametrize(("exception", "url"), COVERED)
def test_an_exception_covers(exception: str, url: str) -> None:
    assert is_direct(url, exception)


@pytest.mark.parametrize(
    ("exception", "url"),
    [
        ("example.com", "https://bankexample.com"),
        ("bank.example.com", "https://example.com"),
        ("bank.example.com:8443", "https://bank.example.com"),
        ("bank.example.com:443", "http://bank.example.com"),
        ("*:8443", "https://bank.example.com"),
        ("10.0.0.0/8", "https://11.1.2.3"),
        ("10.0.0.0/8", "https://bank.example.com"),
        ("10.0.0.0/8:8443", "https://10.1.2.3"),
        ("[fd00::5]:443", "https://[fd00::5]:8443"),
        ("[fd00::5]:443", "https://[fd00::6]"),
        ("0.0.0.0/0", "https://[::1]"),
        ("::/0", "https://10.1.2.3"),
    ],
)
def test_an_exception_does_not_cover(exception: str, url: str) -> None:
    assert not is_direct(url, exception)


@pytest.mark.parametrize(
    "exception",
    [
        *("", ".", "*.", "**", "*example.com", "bank.*", "..example.com", "exa mple.com", "a..b"),
        *("https://example.com", "example.com/path", "user@example.com", "example.com:", ":443"),
        *("example.com:0", "example.com:65536", "example.com:http", "example.com:443:443"),
        *("10.0.0.0/33", "10.0.0", "10.", "10.1.2.256", "010.1.2.3", "0x0a000001", "fd00::/129"),
        *("[::1", "::1]", "[::1]:", "[::1]:0", "[example.com]", "a\u3002example"),
    ],
)
def test_what_would_never_match_is_refused(exception: str) -> None:
    with pytest.raises(ValueError):
        host_pattern(exception)
