"""What only a real server shows: chunked bodies, bodies that are never read, HEAD on the wire."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve the small site by granian, as production does."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    server = subprocess.Popen([*command, "tests.support.failing_site_wsgi:application"])
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        else:
            return


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
