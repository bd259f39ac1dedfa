"""What becomes of a request's head on its way from the wire to Django."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.real_server import RSGI, exchange, request, serving, status_of

A, B = "203.0.113.7", "198.51.100.2"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(*RSGI, TRUSTED_PROXY_COUNT="1") as port:
        yield port


def seen(port: int, path: str, *headers: str) -> Any:
    answer = exchange(port, request("GET", path, *headers, "Connection: close"))
    assert status_of(answer) == 200, answer
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("first", [True, False])
def test_an_underscore_chooses_no_address(port: int, first: bool) -> None:
    headers = (f"X_Forwarded_For: {B}", f"X-Forwarded-For: {A}")
    assert seen(port, "/who", *(headers if first else headers[::-1]))["address"] == A


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "x_forwarded-for"])
def test_alone_it_is_no_address_either(port: int, name: str) -> None:
    assert seen(port, "/who", f"{name}: {B}")["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    "name",
    [
        *("X_Forwarded_For", "X_Forwarded_Proto", "X_Api_Key", "x_team_id", "Idempotency_Key"),
        *("Content_Type", "Content_Length", "Transfer_Encoding", "X_CSRFToken", "Wsgi_Input"),
    ],
)
def test_no_underscore_reaches_django(port: int, name: str) -> None:
    assert "forged" not in json.dumps(seen(port, "/head", f"{name}: forged"))


def test_a_forged_scheme_is_not_believed(port: int) -> None:
    headers = ("X_Forwarded_Proto: https", "X-Forwarded-Proto: http")
    assert seen(port, "/who", *headers)["scheme"] == "http"


def test_repeated_headers_are_joined_in_order(port: int) -> None:
    found = seen(port, "/head", f"X-Forwarded-For: {A}", f"X-Forwarded-For: {B}")
    assert found["HTTP_X_FORWARDED_FOR"] == f"{A},{B}"
    found = seen(port, "/head", "Cookie: a=1", "Cookie: b=2")
    assert found["HTTP_COOKIE"] == "a=1; b=2"


def test_a_value_beyond_ascii_is_not_one_that_is_missing(port: int) -> None:
    for name in ("Idempotency-Key", "X-Team-Id", "Authorization", "Cookie", "Content-Type"):
        for value in ("\xff", "\xc3\xa9"):
            found = seen(port, "/head", f"{name}: {value}")
            key = name.upper().replace("-", "_")
            assert found[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] == "\xff"
    assert "HTTP_X_TEAM_ID" not in seen(port, "/head", "X_Team_Id: \xff")
    answer = exchange(port, request("GET", "/head", "Host: \xff", "Connection: close"))
    assert status_of(answer) == 400


@pytest.mark.parametrize("line", ["Idempotency-Key:", "Idempotency-Key: \t"])
def test_an_empty_value_is_not_one_that_is_missing(port: int, line: str) -> None:
    assert seen(port, "/head", line)["HTTP_IDEMPOTENCY_KEY"] == ""


@pytest.mark.parametrize("written", ["\xff", "\xc3\xa9", f"{B}, \xff"])
def test_nobody_hides_behind_the_proxys_address(port: int, written: str) -> None:
    way = f"X-Forwarded-For: {written}, {A}"
    for path, kind in (("/api/open", b"application/problem+json"), ("/who", b"text/html")):
        answer = exchange(port, request("GET", path, way, "Connection: close"))
        assert status_of(answer) == 400
        assert kind in answer


def test_the_environ_says_what_was_asked(port: int) -> None:
    found = seen(port, "/%68ead?a=%20&b=%C3%A4", "Content-Type: text/plain")
    assert (found["path"], found["QUERY_STRING"]) == ("/head", "a=%20&b=%C3%A4")
    assert (found["SERVER_PORT"], found["REMOTE_ADDR"]) == (str(port), "127.0.0.1")
    assert (found["CONTENT_TYPE"], found["SERVER_PROTOCOL"]) == ("text/plain", "HTTP/1.1")


def test_no_variable_of_the_process_is_in_it(port: int) -> None:
    assert "SECRET_KEY" not in seen(port, "/head")


def test_a_path_that_is_no_utf_8_is_404(port: int) -> None:
    answer = exchange(port, request("GET", "/api/%FF%00", "Connection: close"))
    assert status_of(answer) == 404


def test_an_absolute_address_names_the_host(port: int) -> None:
    sent = request("GET", "http://elsewhere.example/api/open", "Connection: close")
    assert status_of(exchange(port, sent)) == 400
    assert (
        seen(port, "http://localhost/head", "Host: elsewhere.example")["HTTP_HOST"] == "localhost"
    )


def test_http_2_is_served(port: int) -> None:
    curl = ("curl", "-s", "--http2-prior-knowledge", "-H", "Content-Type: application/json")
    url = f"http://localhost:{port}"
    body = '{"text": "a"}'
    done = subprocess.run(
        [*curl, "-d", body, f"{url}/api/open"], check=True, capture_output=True, timeout=20
    )
    assert done.stdout == b'{"text":"a"}'
    # Without an announced length.
    done = subprocess.run(
        [*curl, "-X", "POST", "-T", "-", f"{url}/api/open"],
        input=body.encode(),
        check=True,
        capture_output=True,
        timeout=20,
    )
    assert done.stdout == b'{"text":"a"}'
    done = subprocess.run([*curl, f"{url}/head"], check=True, capture_output=True, timeout=20)
    assert json.loads(done.stdout)["HTTP_HOST"] == f"localhost:{port}"
