"""What only a real server shows: chunked bodies, bodies that are never read, HEAD on the wire."""

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.real_server import RSGI, WSGI, exchange, request, serving, status_of

MIB = 1024 * 1024


@pytest.fixture(scope="module", params=[RSGI, WSGI], ids=["rsgi", "wsgi"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Serve the small site by granian: as it is shipped, and by its WSGI."""
    with serving(*request.param) as port:
        yield port


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    yield connection
    connection.close()


def send(connection: http.client.HTTPConnection, parts: list[bytes]) -> http.client.HTTPResponse:
    """Send a body in chunks, without a Content-Length."""
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/api/open", iter(parts), headers, encode_chunked=True)
    return connection.getresponse()


def test_a_chunked_body_is_read(connection: http.client.HTTPConnection) -> None:
    response = send(connection, [b'{"te', b'xt": ', b'"a"}'])
    assert (response.status, response.read()) == (201, b'{"text":"a"}')


def test_a_chunked_body_of_1_mib_is_read(connection: http.client.HTTPConnection) -> None:
    response = send(connection, [b'{"text": "a"', b" " * (MIB - 13), b"}"])
    assert (response.status, response.read()) == (201, b'{"text":"a"}')


def test_a_chunked_body_over_1_mib_is_413(connection: http.client.HTTPConnection) -> None:
    response = send(connection, [b'{"text": "a"', b" " * (MIB - 12), b"}"])
    assert response.status == 413
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_announced_large_body_is_refused_unsent(
    connection: http.client.HTTPConnection,
) -> None:
    connection.putrequest("POST", "/api/open")
    connection.putheader("Content-Length", str(5 * MIB))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_the_next_one_is_served_after_a_refusal(port: int) -> None:
    announced = request("POST", "/api/open", f"Content-Length: {MIB + 1}")
    # At once, since the server waits two seconds for the rest of each before it closes.
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: exchange(port, announced + b"x"), range(40)))
    assert [status_of(answer) for answer in answers] == [413] * 40
    assert status_of(exchange(port, request("GET", "/api/open", "Connection: close"))) == 200


@pytest.mark.parametrize(
    "length",
    [
        *("abc", "-1", "1, 2", "0x10", "99999999999999999999999"),
        *("1\r\nContent-Length: 2", "\u0661"),
    ],
)
def test_a_malformed_length_is_400(port: int, length: str) -> None:
    sent = request("POST", "/api/open", f"Content-Length: {length}".encode().decode("latin-1"))
    assert status_of(exchange(port, sent + b"{}")) == 400


def test_a_body_of_unknown_coding_is_400(port: int) -> None:
    sent = request("POST", "/api/open", "Transfer-Encoding: gzip")
    assert status_of(exchange(port, sent + b"{}")) == 400


def test_head_has_the_headers_of_get_and_no_body(connection: http.client.HTTPConnection) -> None:
    for path, status in (("/api/open", 200), ("/api/nothing", 404)):
        connection.request("HEAD", path)
        response = connection.getresponse()
        assert (response.status, response.read()) == (status, b"")
        assert "json" in response.headers["Content-Type"]


def test_each_answer_bears_a_trace_id(connection: http.client.HTTPConnection) -> None:
    connection.request("OPTIONS", "/api/open")
    response = connection.getresponse()
    assert response.status == 405
    assert len(response.headers["X-Trace-Id"]) == 32
