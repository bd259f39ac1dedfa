"""Calls of a platform's own API."""

import time

import pytest

from connections_project.oauth.calls import api_url, call
from connections_project.oauth.errors import DeadGrant, PlatformError
from connections_project.oauth.transport import Request
from tests.oauth.conftest import MakePlatform
from tests.support.platform_server import Answer, PlatformServer


def failure(
    server: PlatformServer, make_platform: MakePlatform, answer: Answer, **how: str
) -> PlatformError:
    server.on("POST", "/posts", answer)
    with pytest.raises(PlatformError) as caught:
        call(make_platform(), Request("POST", f"{server.url}/posts"), within=5.0, **how)
    return caught.value


@pytest.mark.parametrize(
    ("identity_endpoint", "expected"),
    [
        ("https://api.example.com/v2/me?fields=id", "https://api.example.com/posts"),
        ("", "https://bank.example.com/posts"),
    ],
)
def test_an_api_is_where_the_catalogue_says(
    make_platform: MakePlatform, identity_endpoint: str, expected: str
) -> None:
    platform = make_platform(
        identity_endpoint=identity_endpoint, token_endpoint="https://bank.example.com/token"
    )
    assert api_url(platform, "/posts") == expected


def test_a_dead_grant_is_known_by_catalogue_words(
    server: PlatformServer, make_platform: MakePlatform
) -> None:
    answer = Answer(400, json={"error": "invalid_grant"})
    assert isinstance(failure(server, make_platform, answer), DeadGrant)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"x-reset": "{soon}"}, 58, 61),
        ({"x-reset": "{soon}", "Retry-After": "7"}, 7, 7),
        ({"x-reset": "1"}, 0, 0),
        ({"x-reset": "999999999999"}, 24 * 3600, 24 * 3600),
    ],
)
def test_a_platform_may_name_its_retry_header(
    server: PlatformServer,
    make_platform: MakePlatform,
    headers: dict[str, str],
    least: int,
    most: int,
) -> None:
    soon = str(int(time.time()) + 60)
    result = {name: value.format(soon=soon) for name, value in headers.items()}
    fault = failure(server, make_platform, Answer(429, headers=result), reset_header="x-reset")
    assert fault.retry_after is not None
    assert least <= fault.retry_after <= most


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "٣", "9" * 13])
def test_what_is_no_moment_there_is_none(
    server: PlatformServer, make_platform: MakePlatform, value: str
) -> None:
    answer = Answer(429, headers={"x-reset": value} if value.isascii() else {})
    assert failure(server, make_platform, answer, reset_header="x-reset").retry_after is None


def test_only_a_limit_has_such_a_moment(
    server: PlatformServer, make_platform: MakePlatform
) -> None:
    answer = Answer(503, headers={"x-reset": "9999999999"})
    assert failure(server, make_platform, answer, reset_header="x-reset").retry_after is None
