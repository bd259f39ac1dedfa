"""Calls of a platform's own API."""

import time
from typing import Any

import pytest
import time_machine

from connections_project.oauth.calls import api_url, call
from connections_project.oauth.errors import DeadGrant, PlatformError
from connections_project.oauth.transport import Request
from tests.oauth.conftest import MakePlatform
from tests.support.platform_server import Answer, PlatformServer


def failure(
    server: PlatformServer, make_platform: MakePlatform, answer: Answer, **entry: Any
) -> PlatformError:
    server.on("POST", "/posts", answer)
    with pytest.raises(PlatformError) as caught:
        call(make_platform(**entry), Request("POST", f"{server.url}/posts"), within=5.0)
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


@pytest.mark.parametrize(("code", "means"), [(4, "unavailable"), (100, "refused")])
def test_a_refusal_may_mean_later(
    server: PlatformServer, make_platform: MakePlatform, code: int, means: str
) -> None:
    answer = Answer(400, json={"error": {"code": code}})
    assert failure(server, make_platform, answer, passing_errors=("4",)).code == means


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": "{epoch}"}, 60),
        ({"x-rate-limit-reset": "{epoch}"}, 60),
        ({"X-RateLimit-Reset": "{epoch}000"}, 60),
        ({"X-RateLimit-Reset": "{epoch}.5"}, 60),
        ({"X-RateLimit-Reset": "60"}, 60),
        ({"X-Ratelimit-Reset": "59.2"}, 60),
        ({"RateLimit-Reset": "60"}, 60),
        ({"RateLimit": '"default";r=0;t=60'}, 60),
        ({"RateLimit": '"hour";r=5;t=3600, "minute";r=0;t=60, "second";r=0;t=1'}, 60),
        ({"RateLimit": "limit=10, remaining=0, reset=60"}, 60),
        ({"Retry-After": "59.5"}, 60),
        ({"Retry-After": "{epoch}"}, 60),
        ({"Retry-After": "2026-11-28T12:01:00Z"}, 60),
        ({"X-RateLimit-Reset": "2026-11-28T12:01:00.000000Z"}, 60),
        ({"X-RateLimit-Reset": "2026-11-28T13:01:00+01:00"}, 60),
        ({"X-RateLimit-Reset": "Sat, 28 Nov 2026 12:01:00 GMT"}, 60),
        ({"X-RateLimit-Reset-After": "60", "X-RateLimit-Reset": "1"}, 60),
        ({"X-RateLimit-Reset": "{epoch}", "Retry-After": "7"}, 7),
        ({"X-RateLimit-Reset": "1700000000"}, 0),
        ({"X-RateLimit-Reset": "999999999999"}, 0),
        ({"X-RateLimit-Reset": "99999999999"}, 24 * 3600),
    ],
)
def test_a_limit_says_when_it_is_over(
    server: PlatformServer, make_platform: MakePlatform, headers: dict[str, str], seconds: int
) -> None:
    with time_machine.travel("2026-11-28T12:00:00Z", tick=False):
        given = {name: value.format(epoch=int(time.time()) + 60) for name, value in headers.items()}
        fault = failure(server, make_platform, Answer(429, headers=given))
    assert fault.retry_after is not None
    assert seconds <= fault.retry_after <= seconds + 1


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "9" * 17, "-1.5", "2026-13-01", "nan"])
def test_what_is_no_moment_there_is_none(
    server: PlatformServer, make_platform: MakePlatform, value: str
) -> None:
    answer = Answer(429, headers={"X-RateLimit-Reset": value})
    assert failure(server, make_platform, answer).retry_after is None


def test_only_a_limit_has_such_a_moment(
    server: PlatformServer, make_platform: MakePlatform
) -> None:
    answer = Answer(503, headers={"X-RateLimit-Reset": "9999999999"})
    assert failure(server, make_platform, answer).retry_after is None
