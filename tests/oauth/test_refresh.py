"""Fresh tokens, and how a dead grant differs from a passing fault."""

import pytest

from connections_project.oauth.catalog import DeadGrantMatcher, Platform
from connections_project.oauth.client import (
    ClientRegistration,
    TokenSet,
    UnusableTokensError,
    refresh,
)
from connections_project.oauth.errors import DeadGrant, PlatformError
from tests.oauth.conftest import MakePlatform
from tests.support.platform_server import Answer, PlatformServer


def do_refresh(platform: Platform, registration: ClientRegistration) -> TokenSet:
    return refresh(platform, registration, refresh_token="rt-1")


def failure(platform: Platform, registration: ClientRegistration) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        do_refresh(platform, registration)
    return caught.value


def test_a_refresh_token_gives_fresh_tokens(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(json={"access_token": "at-2", "refresh_token": "rt-2"}))

    assert do_refresh(platform, registration) == TokenSet("at-2", "rt-2")
    assert server.requests[0].form == {"grant_type": "refresh_token", "refresh_token": "rt-1"}


def test_a_response_without_a_refresh_token_says_so(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(json={"access_token": "at-2"}))

    assert do_refresh(platform, registration).refresh_token is None


REVOKED = '{"error": "invalid_grant", "error_description": "r\u00e9voqu\u00e9"}'


@pytest.mark.parametrize("charset", ["", "; charset=ISO-8859-1", '; Charset="windows-1252"'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_invalid_grant_is_read_in_any_encoding(
    server: PlatformServer,
    platform: Platform,
    registration: ClientRegistration,
    encoding: str,
    charset: str,
) -> None:
    headers = {"Content-Type": f"application/json{charset}"}
    server.on("POST", "/token", Answer(400, body=REVOKED.encode(encoding), headers=headers))

    assert failure(platform, registration).code == "dead_grant"


@pytest.mark.parametrize("status", [302, 307, 400, 401, 403, 404, 408, 422, 425])
def test_invalid_grant_is_a_dead_grant(
    server: PlatformServer, platform: Platform, registration: ClientRegistration, status: int
) -> None:
    server.on("POST", "/token", Answer(status, json={"error": "invalid_grant"}))

    dead = failure(platform, registration)

    assert isinstance(dead, DeadGrant)
    assert (dead.code, dead.permanent, dead.becomes, dead.status) == (
        "dead_grant",
        True,
        "expired",
        status,
    )


FORM = b"error_description=It+has+ended.&error=invalid_grant&error_uri=https%3A%2F%2Fexample.com"


@pytest.mark.parametrize("status", [200, 302, 400, 408])
@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_invalid_grant_may_stand_in_a_form(
    server: PlatformServer,
    platform: Platform,
    registration: ClientRegistration,
    media_type: str,
    status: int,
) -> None:
    server.on("POST", "/token", Answer(status, body=FORM, headers={"Content-Type": media_type}))

    assert failure(platform, registration).code == "dead_grant"


def test_a_form_with_a_token_is_no_dead_grant(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(body=b"access_token=at&error=invalid_grant"))

    fault = failure(platform, registration)

    assert isinstance(fault, UnusableTokensError)
    assert fault.tokens == TokenSet("at")


@pytest.mark.parametrize(
    ("matcher", "body"),
    [
        (DeadGrantMatcher(json={"error_subcode": "458"}), b"error=OAuth&error_subcode=458"),
        (DeadGrantMatcher(error="458"), b"error=OAuth&code=458"),
        (DeadGrantMatcher(error="a b"), b"error=a%20b"),
    ],
)
def test_a_form_is_matched_as_json_is(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    matcher: DeadGrantMatcher,
    body: bytes,
) -> None:
    server.on("POST", "/token", Answer(400, body=body))

    assert failure(make_platform(dead_grant=(matcher,)), registration).code == "dead_grant"


def test_a_form_may_tell_of_our_client(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(401, body=b"error=invalid_client"))

    assert failure(platform, registration).code == "invalid_client"


@pytest.mark.parametrize(
    ("matcher", "answer"),
    [
        (DeadGrantMatcher(status=401), Answer(401, body=b"no")),
        (
            DeadGrantMatcher(status=400, text="token is stale"),
            Answer(400, body=b"a token is stale!"),
        ),
        (DeadGrantMatcher(error="invalid_request"), Answer(400, json={"error": "invalid_request"})),
        (DeadGrantMatcher(error="190"), Answer(400, json={"error": {"code": 190}})),
        (
            DeadGrantMatcher(error="OAuthException"),
            Answer(400, json={"error": {"type": "OAuthException"}}),
        ),
        (DeadGrantMatcher(error="2"), Answer(401, json={"code": 2, "message": "…"})),
        (DeadGrantMatcher(error="gone"), Answer(200, json={"error": "gone"})),
        (
            DeadGrantMatcher(error="invalid_client", text="refresh token invalid"),
            Answer(401, json={"error": "invalid_client", "m": "Refresh Token invalid"}),
        ),
        (DeadGrantMatcher(status=401, at="token"), Answer(401)),
        (DeadGrantMatcher(text='"code":5'), Answer(400, body=b'{ "code" :\n 5 }')),
        (DeadGrantMatcher(text='"code": 5'), Answer(400, body=b'{"code":5}')),
        (DeadGrantMatcher(text='"a": "b c"'), Answer(400, body=b'{"a":"b c"}')),
        (
            DeadGrantMatcher(json={"error.error_subcode": "458"}),
            Answer(400, body=b'{"error" : {"error_subcode" : 458}}'),
        ),
    ],
)
def test_each_platform_says_it_in_its_own_way(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    matcher: DeadGrantMatcher,
    answer: Answer,
) -> None:
    server.on("POST", "/token", answer)

    dead = failure(make_platform(dead_grant=(matcher,)), registration)

    assert isinstance(dead, DeadGrant)


def test_the_matcher_decides_the_new_status(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(400, json={"error": "revoked"}))
    matcher = DeadGrantMatcher(error="revoked", becomes="revoked")

    dead = failure(make_platform(dead_grant=(matcher,)), registration)

    assert isinstance(dead, DeadGrant)
    assert dead.becomes == "revoked"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_fault_is_never_a_dead_grant(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    status: int,
) -> None:
    server.on("POST", "/token", Answer(status, json={"error": "invalid_grant"}))
    matchers = (DeadGrantMatcher(error="invalid_grant"), DeadGrantMatcher(text="invalid"))

    fault = failure(make_platform(dead_grant=matchers), registration)

    assert not isinstance(fault, DeadGrant)
    assert not fault.permanent


@pytest.mark.parametrize("status", [302, 408, 425])
def test_some_statuses_judge_by_a_code_alone(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    status: int,
) -> None:
    server.on("POST", "/token", Answer(status, json={"error": "wait", "m": "invalid_grant"}))
    matchers = (
        DeadGrantMatcher(error="invalid_grant"),
        DeadGrantMatcher(text="invalid_grant"),
        DeadGrantMatcher(status=status),
    )
    later = make_platform(dead_grant=(DeadGrantMatcher(error="wait"),), passing_errors=("wait",))

    for platform in (make_platform(dead_grant=matchers), later):
        assert not isinstance(failure(platform, registration), DeadGrant)


def test_all_parts_of_a_matcher_have_to_fit(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(400, json={"error": "invalid_request"}))
    matcher = DeadGrantMatcher(400, "invalid_request", "refresh token")

    fault = failure(make_platform(dead_grant=(matcher,)), registration)

    assert (fault.code, fault.permanent) == ("refused", True)


def test_our_wrong_secret_is_never_a_dead_grant(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(401, json={"error": "invalid_client"}))

    fault = failure(make_platform(dead_grant=(DeadGrantMatcher(status=401),)), registration)

    assert (fault.code, fault.permanent) == ("invalid_client", True)


@pytest.mark.parametrize(
    "matcher",
    [
        DeadGrantMatcher(status=400, at="api"),
        DeadGrantMatcher(json={"error.error_subcode": "45"}),
        DeadGrantMatcher(json={"error": "458"}),
        DeadGrantMatcher(json={"error.fatal": "True"}),
        DeadGrantMatcher(json={"error.error_subcode": "458", "error.code": "191"}),
        DeadGrantMatcher(text='"m": "be gone"'),
    ],
)
def test_what_does_not_fit_is_no_dead_grant(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    matcher: DeadGrantMatcher,
) -> None:
    error = {"code": 190, "error_subcode": 458, "fatal": True, "m": "begone"}
    server.on("POST", "/token", Answer(400, json={"error": error}))

    fault = failure(make_platform(dead_grant=(matcher,)), registration)

    assert not isinstance(fault, DeadGrant)


def test_the_first_matcher_that_fits_decides(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(400, json={"error": {"code": 190, "error_subcode": 459}}))
    lives_on = DeadGrantMatcher(json={"error.error_subcode": "459"}, becomes="unchanged")
    matchers = (lives_on, DeadGrantMatcher(error="190"))

    fault = failure(make_platform(dead_grant=matchers), registration)

    assert (fault.code, isinstance(fault, DeadGrant)) == ("refused", False)


def test_good_tokens_pass_despite_a_matchers_text(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/token", Answer(json={"access_token": "stale", "error": None}))

    platform = make_platform(dead_grant=(DeadGrantMatcher(text="stale"),))

    assert do_refresh(platform, registration).access_token == "stale"
