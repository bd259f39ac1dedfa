"""The client's exceptions: whatever they hold, nothing of it is a secret."""

import secrets
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from connections_project.oauth import client
from connections_project.oauth.catalog import Platform, load_catalog
from connections_project.oauth.client import ClientRegistration, TokenSet
from connections_project.oauth.errors import PlatformError
from tests.support.bank import REDIRECT_URI, Bank
from tests.support.echo_bank import echo, echo_malformed
from tests.support.platform_server import Answer, PlatformServer, Request

CODE, VERIFIER, ACCESS, REFRESH, SECRET = (secrets.token_urlsafe(24) for _ in range(5))
REGISTRATION = ClientRegistration("ours", SECRET, (REDIRECT_URI,))
TOKENS = TokenSet(ACCESS, REFRESH)

Call = Callable[[Platform], object]
CALLS: dict[str, Call] = {
    "exchange": lambda platform: client.exchange_code(
        platform, REGISTRATION, code=CODE, redirect_uri=REDIRECT_URI, code_verifier=VERIFIER
    ),
    "refresh": lambda platform: client.refresh(platform, REGISTRATION, refresh_token=REFRESH),
    "revoke": lambda platform: client.revoke(platform, REGISTRATION, tokens=TOKENS, within=1.0),
    "identify": lambda platform: client.identify(platform, REGISTRATION, tokens=TOKENS),
}


def too_much(request: Request) -> Answer:
    return Answer(200, body=request.body * 100_000, headers={"X-Debug": request.body.decode()})


def cut(request: Request) -> Answer:
    return Answer(200, body=request.body + b"and more", cut_after=len(request.body))


def no_http(request: Request) -> Answer:
    return Answer(raw=b"HTTP/9 " + request.body + b"\r\n\r\n")


def bad_header(request: Request) -> Answer:
    return Answer(400, headers={"Content-Encoding": "gzip"}, body=request.body)


def a_token_that_is_none(request: Request) -> Answer:
    return Answer(json={"access_token": f"{request.body.decode()}\n", "token_type": "bearer"})


FAILURES: dict[str, Callable[[Request], Answer]] = {
    **{f"status {n}": partial(echo, status=n) for n in (302, 307, 400, 401, 403, 429, 500, 503)},
    "a dead grant": lambda request: echo(request, 400, error="invalid_grant"),
    "no client": lambda request: echo(request, 401, error="invalid_client"),
    "a reset": lambda _: Answer(reset=True),
    **{one.__name__: one for one in (echo_malformed, too_much, cut, no_http, bad_header)},
    "a token that is none": a_token_that_is_none,
}
NO_FAILURES = {
    ("identify", "a token that is none"),
    ("revoke", "a token that is none"),
    ("revoke", "echo_malformed"),
}


@pytest.fixture
def platform(server: PlatformServer, tmp_path: Path) -> Platform:
    path = tmp_path / "catalog.toml"
    path.write_text(Bank(server).catalogue(), encoding="utf-8")
    return load_catalog(path)["bank"]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Return an error, and all that hang on it, suppressed ones and those in its arguments too."""
    if error is not None:
        yield error
        inner = [each for each in error.args if isinstance(each, BaseException)]
        for each in (error.__cause__, error.__context__, *inner):
            yield from chain(each)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", CALLS)
def test_no_secret_hangs_on_an_exception(
    call: str, failure: str, platform: Platform, server: PlatformServer
) -> None:
    for method, path in (("POST", "/token"), ("POST", "/revoke"), ("GET", "/me")):
        server.on(method, path, FAILURES[failure])
    try:
        CALLS[call](platform)
    except PlatformError as error:
        result = "".join(traceback.format_exception(error))
        for each in chain(error):
            result += f"{each} {each!r} {each.args!r} {vars(each)!r}"
    else:
        # What is no fault to this call says nothing about the others.
        assert (call, failure) in NO_FAILURES
        return
    assert not [one for one in (CODE, VERIFIER, ACCESS, REFRESH, SECRET) if one in result]


def test_an_unreachable_platform_adds_nothing(platform: Platform) -> None:
    gone = PlatformServer()
    gone._server.server_close()
    for call in CALLS.values():
        with pytest.raises(PlatformError) as failed:
            call(platform)
        result = "".join(traceback.format_exception(failed.value))
        assert not [one for one in (CODE, VERIFIER, ACCESS, REFRESH, SECRET) if one in result]
