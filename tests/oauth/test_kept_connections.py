"""Connections to a platform that are kept for the next call."""

import http.client
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from connections_project.oauth import deadline, transport
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.guarded import GuardedClient
from connections_project.oauth.observers import Kind, calling
from connections_project.oauth.transport import Request, send
from tests.support.closing_server import ClosingServer

CloseAt = Callable[[str, str], None]
# What is sent after a close may have arrived before it.
UNSENT = [
    *[(point, how) for point in ("idle", "looked at", "head") for how in ("close", "reset")],
    ("body", "reset"),
]


@pytest.fixture(params=["http", "https"])
def closing(
    request: pytest.FixtureRequest,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ClosingServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setattr(transport._session, "verify", str(tmp_path / "authority.pem"))
    with ClosingServer(tls=context if request.param == "https" else None) as running:
        yield running


@pytest.fixture
def close_at(closing: ClosingServer, monkeypatch: pytest.MonkeyPatch) -> CloseAt:
    """Have the platform close its connections, by `close` or `reset`, in the midst of a call."""

    def close_at(point: str, how: str) -> None:
        parts = iter(["head", "body"])
        close = closing.close_all if how == "close" else closing.reset_all
        send_part = http.client.HTTPConnection.send

        def sending(connection: http.client.HTTPConnection, data: bytes) -> None:
            if deadline._guard.get().is_reused and next(parts) == point:
                close()
            send_part(connection, data)

        if point == "idle":
            close()
        elif point == "looked at":
            close()
            monkeypatch.setattr(deadline.GuardedConnection, "is_connected", True)
        elif point == "answer":
            closing.answers = False
        else:
            monkeypatch.setattr(http.client.HTTPConnection, "send", sending)

    return close_at


def post(server: ClosingServer) -> int:
    request = Request("POST", f"{server.url}/posts", form={"a": "b"})
    return send(request, platform="x", within=5.0).status


def get(server: ClosingServer, within: float = 5.0) -> int:
    return send(Request("GET", f"{server.url}/me"), platform="x", within=within).status


def test_a_connection_serves_many_calls(closing: ClosingServer) -> None:
    assert [post(closing) for _ in range(3)] == [200] * 3
    assert closing.connections == 1


def test_an_idle_one_is_not_used_again(
    closing: ClosingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(closing)
    monkeypatch.setattr(deadline, "LONGEST_IDLE_SECONDS", 0.0)
    assert post(closing) == 200
    assert closing.connections == 2


@pytest.mark.parametrize(("point", "how"), UNSENT)
def test_what_was_not_sent_whole_is_sent_again(
    closing: ClosingServer, close_at: CloseAt, point: str, how: str
) -> None:
    post(closing)
    close_at(point, how)
    assert post(closing) == 200
    assert (closing.connections, closing.requests) == (2, 2)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (post, "exchange"), (post, "refresh"), (post, "publish"), (post, "revoke"),
        (get, "exchange"), (get, "refresh"),
    ],
)  # fmt: skip
def test_what_may_have_spent_something_is_sent_once(
    closing: ClosingServer, close_at: CloseAt, call: Callable[[ClosingServer], int], kind: Kind
) -> None:
    post(closing)
    close_at("answer", "close")
    with calling(kind), pytest.raises(PlatformError) as caught:
        call(closing)
    assert caught.value.code == "reset"
    assert (closing.connections, closing.requests) == (1, 2)


def test_what_was_sent_whole_is_sent_once(closing: ClosingServer, close_at: CloseAt) -> None:
    post(closing)
    close_at("body", "close")
    with pytest.raises(PlatformError) as caught:
        post(closing)
    assert caught.value.code == "reset"
    assert closing.connections == 1


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("point", ["idle", "looked at", "head"])
def test_a_safe_call_is_sent_again(
    closing: ClosingServer, close_at: CloseAt, point: str, how: str
) -> None:
    get(closing)
    close_at(point, how)
    assert get(closing) == 200
    assert (closing.connections, closing.requests) == (2, 2)


def test_a_safe_call_without_an_answer_is_sent_again_once(
    closing: ClosingServer, close_at: CloseAt
) -> None:
    get(closing)
    close_at("answer", "close")
    with pytest.raises(PlatformError) as caught:
        get(closing)
    assert caught.value.code == "reset"
    assert (closing.connections, closing.requests) == (2, 3)


@pytest.mark.parametrize(("point", "how"), UNSENT)
def test_so_it_is_with_addresses_that_others_chose(
    closing: ClosingServer, close_at: CloseAt, point: str, how: str
) -> None:
    client = GuardedClient(networks=[ip_network("127.0.0.0/8")], largest=1000)
    client._session.verify = transport._session.verify
    first = client.send("POST", closing.url, within=5.0, body=b"{}")
    close_at(point, how)
    second = client.send("POST", closing.url, within=5.0, body=b"{}")
    assert (first.status, second.status) == (200, 200)
    assert (closing.connections, closing.requests) == (2, 2)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_body_that_is_not_read_does_not_spoil_the_next_answer(
    closing: ClosingServer, status: bytes
) -> None:
    """Of answers that may have none many servers send one; a refresh would lose its tokens."""
    closing.answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n"
    assert get(closing) in {204, 304}
    assert post(closing) == 200
    assert closing.connections == 2


def test_an_answer_without_a_body_keeps_its_connection(closing: ClosingServer) -> None:
    closing.answer = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
    assert get(closing) == 204
    closing.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    assert closing.connections == 1


def test_a_call_whose_time_is_up_is_not_made_again(closing: ClosingServer) -> None:
    """Its sockets are shut down then, which its thread sees as if the platform had closed them."""
    post(closing)
    for _ in range(15):
        closing.answer = b""
        with pytest.raises(PlatformError) as caught:
            get(closing, within=0.15)
        assert caught.value.code == "timeout"
        post(closing)
    assert closing.requests == 31


def test_an_answer_to_head_has_no_chunks(closing: ClosingServer) -> None:
    closing.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    head = Request("HEAD", f"{closing.url}/me")
    assert send(head, platform="x", within=5.0).status == 200
