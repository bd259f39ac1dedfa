"""A platform that misbehaves: each fault has its word, and none lasts longer than it may."""

import gzip
import time
import tracemalloc

import pytest

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration, TokenSet, UnusableTokensError
from connections_project.oauth.errors import PlatformError
from tests.oauth.conftest import SECRET, Failing, MakePlatform, exchange
from tests.support.platform_server import Answer, PlatformServer

GOOD = Answer(json={"access_token": "at-1"})


@pytest.mark.parametrize(
    "answer",
    [
        Answer(json={"access_token": "at"}, delay=30),
        Answer(json={"access_token": "at"}, drip_headers=0.05),
        Answer(json={"access_token": "at" * 200}, drip_body=0.05),
    ],
    ids=["silent", "dripped headers", "dripped body"],
)
def test_a_slow_platform_is_left_when_the_time_is_up(failure: Failing, answer: Answer) -> None:
    started = time.monotonic()

    fault = failure(answer, within=0.4)

    assert time.monotonic() - started < 1.0
    assert (fault.code, fault.permanent, fault.status) == ("timeout", False, None)


def assert_hung_up(server: PlatformServer) -> None:
    ends_at = time.monotonic() + 2
    while server.open_connections and time.monotonic() < ends_at:
        time.sleep(0.01)
    assert server.open_connections == 0


def test_at_the_deadline_the_connection_is_closed(server: PlatformServer, failure: Failing) -> None:
    failure(Answer(body=b"x" * 10_000, drip_body=0.01), within=0.3)

    assert_hung_up(server)


def test_the_connection_is_kept_for_the_next_call(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", GOOD)

    for _ in range(3):
        exchange(platform, registration)

    assert server.connection_count == 1


def test_a_kept_connection_obeys_the_deadline_too(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    dripping = Answer(json={"access_token": "at" * 200}, drip_body=0.05)
    server.on("POST", "/token", GOOD, dripping)
    exchange(platform, registration)
    started = time.monotonic()

    with pytest.raises(PlatformError):
        exchange(platform, registration, within=0.3)

    assert time.monotonic() - started < 1.0
    assert server.connection_count == 1
    assert_hung_up(server)


def test_a_reset_connection_is_a_passing_fault(failure: Failing) -> None:
    fault = failure(Answer(reset=True))

    assert (fault.code, fault.permanent) == ("reset", False)


def test_a_body_that_breaks_off_is_a_reset(failure: Failing) -> None:
    assert failure(Answer(json={"access_token": "at"}, cut_after=5)).code == "reset"


def test_nobody_listening_is_surely_not_sent(
    make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    platform = make_platform(token_endpoint="http://127.0.0.1:1/token")

    with pytest.raises(PlatformError) as caught:
        exchange(platform, registration)

    assert (caught.value.code, caught.value.permanent) == ("connect_error", False)


def test_plaintext_behind_https_means_not_sent(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    platform = make_platform(token_endpoint=server.url.replace("http", "https") + "/token")

    with pytest.raises(PlatformError) as caught:
        exchange(platform, registration, within=2)

    assert caught.value.code == "connect_error"
    assert server.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>",
        b"",
        b"\xff\xfe\xfd",
        b"[]",
        b'"text"',
        b"null",
        b'{"access_token": "at"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"expires_in": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_object_is_malformed(failure: Failing, body: bytes) -> None:
    fault = failure(Answer(body=body))

    assert (fault.code, fault.permanent, fault.status) == ("malformed", False, 200)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_our_secret(
    server: PlatformServer, failure: Failing, status: int
) -> None:
    server.on("POST", "/elsewhere", GOOD)

    fault = failure(Answer(status, headers={"Location": f"{server.url}/elsewhere"}))

    assert fault.code == "redirected"
    assert [request.path for request in server.requests] == ["/token"]


def test_ten_megabytes_are_not_read(failure: Failing) -> None:
    fault = failure(Answer(body=b" " * 10_000_000))

    assert (fault.code, fault.permanent) == ("too_large", False)


@pytest.mark.parametrize("folds", [1, 2])
def test_a_decompression_bomb_is_not_read(failure: Failing, folds: int) -> None:
    body = b" " * 50_000_000
    for _ in range(folds):
        body = gzip.compress(body)
    coding = ", ".join(["gzip"] * folds)

    assert failure(Answer(body=body, headers={"Content-Encoding": coding})).code == "too_large"


def test_a_body_that_does_not_unpack_is_malformed(failure: Failing) -> None:
    answer = Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    assert failure(answer).code == "malformed"


def test_what_is_no_http_is_malformed(failure: Failing) -> None:
    assert failure(Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n")).code == "malformed"


def test_cookies_are_not_kept(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on(
        "POST", "/token", Answer(json={"access_token": "a"}, headers={"Set-Cookie": "who=me"})
    )

    exchange(platform, registration)
    exchange(platform, registration)

    assert "Cookie" not in server.requests[1].headers


def test_netrc_and_proxy_variables_are_ignored(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login planted password planted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.on("POST", "/token", GOOD)

    exchange(make_platform(token_endpoint_auth_method="client_secret_post"), registration)

    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, json={"error": "invalid_grant", "error_description": "the-code is used"}),
        Answer(200, body=b'{"access_token": "leaked-token"'),
        Answer(500, body=b"leaked-token"),
        Answer(reset=True),
    ],
)
def test_an_error_shows_nothing_sent_or_received(failure: Failing, answer: Answer) -> None:
    fault: BaseException | None = failure(answer)

    result = ""
    while fault is not None:
        result += f"{fault!r} {fault} {vars(fault)}"
        fault = fault.__cause__ or fault.__context__
    for secret in ("leaked-token", "the-code", "the-verifier", SECRET, "127.0.0.1"):
        assert secret not in result


@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": "500"}, {"Content-Length": "5, 500"}, {"Transfer-Encoding": "chunked"}],
)
def test_tokens_before_the_deadline_are_not_lost(
    server: PlatformServer, failure: Failing, headers: dict[str, str]
) -> None:
    tokens = {"access_token": "at", "refresh_token": "rt"}

    fault = failure(Answer(json=tokens, headers=headers), within=0.3)

    assert isinstance(fault, UnusableTokensError)
    assert (fault.code, fault.tokens) == ("timeout", TokenSet("at", "rt"))
    assert_hung_up(server)


@pytest.mark.parametrize("length", ["1", "16", "40"])
def test_a_length_that_is_too_short_hides_no_tokens(
    server: PlatformServer, platform: Platform, registration: ClientRegistration, length: str
) -> None:
    tokens = {"access_token": "at", "refresh_token": "rt"}
    server.on("POST", "/token", Answer(json=tokens, headers={"Content-Length": length}), GOOD)

    assert exchange(platform, registration) == TokenSet("at", "rt")
    # Nothing of it is taken for the next answer.
    exchange(platform, registration)
    assert server.connection_count == 2


@pytest.mark.parametrize("beyond", [b"\r\n", b"0\r\n\r\n", b"<!-- 12 ms -->", b"\0"])
def test_what_follows_whole_json_is_none_of_the_body(
    server: PlatformServer, platform: Platform, registration: ClientRegistration, beyond: bytes
) -> None:
    body = b'{"access_token": "at"}'
    headers = {"Content-Length": str(len(body))}
    server.on("POST", "/token", Answer(body=body + beyond, headers=headers))

    assert exchange(platform, registration) == TokenSet("at")


@pytest.mark.parametrize(
    "body",
    [
        b"refresh_token=rt&access_token=at-that-goes-on",
        b'{"refresh_token": "rt", "access_token": "at-that-goes-on"}',
        b'{"refresh_token": "rt", "access_token": 123456789012345678901234567890}',
        gzip.compress(b"refresh_token=rt&access_token=at-that-goes-on", 0),
    ],
    ids=["form", "JSON", "number", "packed"],
)
def test_half_a_token_is_none(failure: Failing, body: bytes) -> None:
    fault = failure(Answer(body=body, cut_after=len(body) - 10))

    assert isinstance(fault, UnusableTokensError)
    assert fault.tokens == TokenSet("", "rt")


def test_a_redirect_is_read_to_the_limit_too(failure: Failing) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    headers = {"Location": "/elsewhere", "Content-Encoding": "gzip"}
    tracemalloc.start()
    try:
        fault = failure(Answer(302, body=bomb, headers=headers), within=15)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fault.code == "too_large"
    assert peak < 16 * 1024 * 1024


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-A: b\r\n" * 1_100,
        HEAD + b"X-A: %b\r\n" % (b"b" * 70_000),
        HEAD + b"X-A: %b\r\n" % (b"b" * 60_000) * 150,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 101 + HEAD,
    ],
    ids=["many lines", "a long line", "many long lines", "many hints"],
)
def test_a_head_has_an_end(failure: Failing, head: bytes) -> None:
    assert failure(Answer(raw=head + b"\r\n" + GOOD.content())).code == "malformed"


def test_hints_shift_no_answer_to_the_next_request(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    names = ["at-1", "at-2"]
    answers = [Answer(json={"access_token": name}, hints=hints) for name in names]
    server.on("POST", "/token", *answers)

    assert [exchange(platform, registration).access_token for _ in names] == names
    assert server.connection_count == 1
