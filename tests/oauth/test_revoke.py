"""Taking tokens back, in the ways that platforms have for it."""

from collections.abc import Callable

import pytest

from connections_project.oauth.client import ClientRegistration, TokenSet, revoke
from connections_project.oauth.errors import PlatformError
from tests.oauth.conftest import SECRET, MakePlatform
from tests.support.platform_server import Answer, PlatformServer

BOTH = TokenSet("at-1", "rt-1")
OK = Answer(200)
UNSUPPORTED = Answer(400, json={"error": "unsupported_token_type"})
Failing = Callable[..., PlatformError]


@pytest.fixture
def failure(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> Failing:
    """Revoke both tokens where these answers are given, and give the error."""

    def fail(*answers: Answer) -> PlatformError:
        server.on("POST", "/revoke", *answers)
        with pytest.raises(PlatformError) as caught:
            revoke(revocable(), registration, tokens=BOTH)
        return caught.value

    return fail


def test_the_refresh_token_goes_first(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK)

    revoke(revocable(), registration, tokens=BOTH)

    assert [request.form for request in server.requests] == [
        {"token": "rt-1", "token_type_hint": "refresh_token"},
        {"token": "at-1", "token_type_hint": "access_token"},
    ]
    assert all(request.headers["Authorization"].startswith("Basic ") for request in server.requests)


def test_the_catalogue_orders_the_tokens(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK)

    revoke(revocable(tokens=("access_token",)), registration, tokens=BOTH)

    assert [request.form["token"] for request in server.requests] == ["at-1"]


def test_a_token_that_was_never_given_is_passed_over(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK)

    revoke(revocable(), registration, tokens=TokenSet("at-1"))

    assert [request.form["token"] for request in server.requests] == ["at-1"]


def test_nothing_to_send_is_no_success(
    revocable: MakePlatform, registration: ClientRegistration
) -> None:
    with pytest.raises(PlatformError) as caught:
        revoke(revocable(tokens=("refresh_token",)), registration, tokens=TokenSet("at-1"))

    assert caught.value.code == "refused"


def test_a_platform_without_revocation_is_no_success(
    make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    with pytest.raises(PlatformError):
        revoke(make_platform(), registration, tokens=BOTH)


def test_without_client_auth_only_the_token_is_sent(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK)

    revoke(revocable(client_auth=False), registration, tokens=TokenSet("at-1"))

    assert "Authorization" not in server.requests[0].headers
    assert set(server.requests[0].form) == {"token", "token_type_hint"}


def test_bearer_post_sends_the_token_as_bearer(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK)

    revoke(revocable(kind="bearer_post", tokens=("access_token",)), registration, tokens=BOTH)

    assert server.requests[0].headers["Authorization"] == "Bearer at-1"
    assert server.requests[0].body == b""


@pytest.mark.parametrize("kind", ["bearer_post", "delete"])
def test_a_refused_refresh_bearer_falls_back(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration, kind: str
) -> None:
    method = "DELETE" if kind == "delete" else "POST"
    server.on(method, "/revoke", Answer(401, json={"error": "invalid_token"}), OK)

    revoke(revocable(kind=kind), registration, tokens=BOTH)

    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer rt-1", "Bearer at-1"]


@pytest.mark.parametrize("kind", ["bearer_post", "delete"])
def test_bearers_all_refused_revoke_nothing(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration, kind: str
) -> None:
    method = "DELETE" if kind == "delete" else "POST"
    server.on(method, "/revoke", Answer(401, json={"error": "invalid_token"}))

    with pytest.raises(PlatformError) as caught:
        revoke(revocable(kind=kind), registration, tokens=BOTH)

    assert (caught.value.code, caught.value.status) == ("refused", 401)


def test_bearer_post_adds_body_credentials(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK)
    platform = revocable("client_secret_post", kind="bearer_post", tokens=("access_token",))

    revoke(platform, registration, tokens=BOTH)

    assert server.requests[0].headers["Authorization"] == "Bearer at-1"
    assert server.requests[0].form == {
        "token": "at-1",
        "client_id": "client id",
        "client_secret": SECRET,
    }


def test_json_post_sends_credentials_and_token(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK)
    platform = revocable(kind="json_post", tokens=("refresh_token",))

    revoke(platform, registration, tokens=BOTH)

    assert server.requests[0].headers["Content-Type"] == "application/json"
    assert server.requests[0].json == {
        "client_id": "client id",
        "client_secret": SECRET,
        "token": "rt-1",
    }


def test_delete_sends_the_token_as_bearer(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("DELETE", "/revoke", OK)

    revoke(revocable(kind="delete", tokens=("access_token",)), registration, tokens=BOTH)

    assert server.requests[0].headers["Authorization"] == "Bearer at-1"


def test_a_token_that_was_dead_already_is_revoked(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", Answer(400, json={"error": "invalid_token"}))

    revoke(revocable(), registration, tokens=BOTH)

    assert len(server.requests) == 2


def test_a_dead_access_token_proves_no_revocation(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", Answer(400, json={"error": "invalid_token"}))
    platform = revocable(tokens=("access_token",))

    with pytest.raises(PlatformError) as caught:
        revoke(platform, registration, tokens=BOTH)
    assert caught.value.code == "refused"

    revoke(platform, registration, tokens=TokenSet("at-1"))


@pytest.mark.parametrize("kind", ["bearer_post", "json_post"])
def test_only_rfc_7009_reads_invalid_token_so(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration, kind: str
) -> None:
    server.on("POST", "/revoke", Answer(400, json={"error": "invalid_token"}))

    with pytest.raises(PlatformError):
        revoke(revocable(kind=kind), registration, tokens=BOTH)


def test_a_later_unsupported_token_type_is_fine(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", OK, UNSUPPORTED)

    revoke(revocable(), registration, tokens=BOTH)

    assert len(server.requests) == 2


def test_a_first_unsupported_type_is_raised_last(server: PlatformServer, failure: Failing) -> None:
    fault = failure(UNSUPPORTED, OK)

    assert (fault.code, fault.permanent) == ("refused", True)
    assert [request.form["token"] for request in server.requests] == ["rt-1", "at-1"]


def test_our_own_wrong_secret_is_distinguished(failure: Failing) -> None:
    assert failure(Answer(401, json={"error": "invalid_client"})).code == "invalid_client"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(503, headers={"Retry-After": "9"}), "unavailable"),
        (Answer(429, headers={"Retry-After": "9"}), "rate_limited"),
        (Answer(500), "server_error"),
        (Answer(403), "refused"),
        (Answer(307, headers={"Location": "/elsewhere"}), "redirected"),
        (Answer(204), "malformed"),
        (Answer(reset=True), "reset"),
    ],
)
def test_a_failed_revocation_is_never_a_success(
    server: PlatformServer, failure: Failing, answer: Answer, code: str
) -> None:
    fault = failure(answer)

    assert fault.code == code
    assert fault.retry_after == (9 if "Retry-After" in answer.headers else None)
    assert len(server.requests) == 1


@pytest.mark.parametrize("error", ["invalid_request", "access_token_invalid"])
def test_a_success_whose_body_is_an_error_is_none(failure: Failing, error: str) -> None:
    fault = failure(Answer(200, json={"error": error, "log_id": "2026"}))

    assert (fault.code, fault.status) == ("refused", 200)


LATIN_1 = {"Content-Type": "application/json; charset=ISO-8859-1"}
UTF_16 = {"Content-Type": "text/html; charset=utf-16"}
HTML = {"Content-Type": "text/html"}
TEXT = {"Content-Type": "text/plain"}
PAGE = "<!doctype html><p>Maintenance"
LATE = '{"error": "server_error", "error_description": "délai dépassé"}'
# No tokens were taken back, in a status of success: what it counts as.
FAILURES = {
    "a page": (Answer(body=PAGE.encode()), "malformed"),
    "a page after a byte order mark": (Answer(body=PAGE.encode("utf-8-sig")), "malformed"),
    "a page in UTF-16": (Answer(body=PAGE.encode("utf-16"), headers=UTF_16), "malformed"),
    "a page in UTF-16 without a mark": (Answer(body=PAGE.encode("utf-16-be")), "malformed"),
    "a page in Latin-1": (Answer(body=f"{PAGE} à midi".encode("latin-1")), "malformed"),
    "a part of a page": (Answer(body=b"Back <b>soon</b>", headers=HTML), "malformed"),
    "a part of XHTML": (
        Answer(body=b"Soon<br/>", headers={"Content-Type": "Application/XHTML+XML; charset=x"}),
        "malformed",
    ),
    "blanks and a comment": (Answer(body=b"\n\n <!-- x --><p>Soon"), "malformed"),
    "an error in UTF-8": (Answer(body=LATE.encode()), "refused"),
    "an error in UTF-16": (Answer(body=LATE.encode("utf-16")), "refused"),
    "an error in Latin-1": (Answer(body=LATE.encode("latin-1"), headers=LATIN_1), "refused"),
    "an error in who knows what": (Answer(body=LATE.encode("latin-1")), "refused"),
    "an error in no known charset": (
        Answer(body=LATE.encode("latin-1"), headers={"Content-Type": "text/plain; charset=rot13"}),
        "refused",
    ),
    "an error in a charset of Python's": (
        Answer(body=LATE.encode("latin-1"), headers={"Content-Type": "a/b; charset=undefined"}),
        "refused",
    ),
    "an error in EBCDIC": (
        Answer(body=LATE.encode("cp037"), headers={"Content-Type": "text/json; charset=cp037"}),
        "refused",
    ),
    "an error in a form": (Answer(body=b"a=b&error=server_error&c=d", headers=TEXT), "refused"),
    "half of an error": (Answer(body=LATE.encode()[:20], headers=TEXT), "malformed"),
    "a notice": (Answer(body=b"We are back in 1 hour.", headers=HTML), "malformed"),
    "a notice of an end": (
        Answer(body=b"Revoked? Not yet: maintenance", headers=HTML),
        "malformed",
    ),
    "a notice as JSON": (Answer(body=b"Down for maintenance"), "malformed"),
    "no JSON": (Answer(body=b"Internal error"), "malformed"),
    "a word of a gateway": (Answer(body=b"Service Unavailable"), "malformed"),
    "half of a list": (Answer(body=b'[{"code": 3', headers=TEXT), "malformed"),
}


@pytest.mark.parametrize(("answer", "code"), FAILURES.values(), ids=FAILURES)
def test_what_proves_no_success_is_none(failure: Failing, answer: Answer, code: str) -> None:
    assert (failure(answer).code, answer.status) == (code, 200)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b""),
        Answer(body=b" \n"),
        Answer(body=b"", headers=HTML),
        Answer(body=b"OK", headers=HTML),
        Answer(body=b"1\n", headers=HTML),
        Answer(body=b"[OK] Token was successfully revoked.", headers=HTML),
        Answer(body=b"OK", headers=TEXT),
        # As Rails renders a text (RFC 7009, section 2.2: "the client MUST ignore the body").
        Answer(body=b"OK"),
        Answer(body=b"[OK] token revoked", headers=TEXT),
        Answer(body=b"success=1&error=0", headers=TEXT),
        Answer(body=b"error=False\r\n", headers=TEXT),
        Answer(body=b'{"message": "<b>OK</b>"}', headers=HTML),
        Answer(body='{"message": "révoqué"}'.encode("latin-1")),
        Answer(body='{"message": "révoqué"}'.encode("latin-1"), headers=LATIN_1),
        Answer(body=b"{}"),
        Answer(body=b'{"error": ""}'),
        Answer(body=b'{"error": {"code": "ok"}}'),
    ],
)
def test_extras_beside_a_success_are_ignored(
    server: PlatformServer,
    revocable: MakePlatform,
    registration: ClientRegistration,
    answer: Answer,
) -> None:
    server.on("POST", "/revoke", answer)

    revoke(revocable(), registration, tokens=BOTH)

    assert len(server.requests) == 2


def test_the_catalogue_may_know_another_success(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", Answer(204))

    revoke(revocable(success_status=(200, 204)), registration, tokens=BOTH)

    assert len(server.requests) == 2


def test_the_time_is_for_all_tokens_together(
    server: PlatformServer, revocable: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("POST", "/revoke", Answer(200, delay=0.3))

    with pytest.raises(PlatformError):
        revoke(revocable(), registration, tokens=BOTH, within=0.45)
