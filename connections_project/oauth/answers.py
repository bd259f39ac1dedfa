"""What a platform's answer means: a document, or which fault."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

from connections_project.oauth.catalog import DeadGrantMatcher, Platform, Revocation
from connections_project.oauth.errors import DeadGrant, ErrorCode, PlatformError
from connections_project.oauth.paths import dig
from connections_project.oauth.tokens import MASK
from connections_project.oauth.transport import Answer

# Where platforms put their error codes: RFC 6749, section 5.2, then Graph APIs and others.
Origin = Literal["token", "api"]
ERROR_PATHS = (
    *("error", "error.code", "error.type", "error.status", "error_type", "code"),
    *("Error", "errors.0.id", "errors.0.code"),
)
_ERROR_IN_FORM = re.compile(
    r"\s*(?:[\w.-]+=[^&\s]*&)*error=(?!(?:0|false|null)(?:[&\s]|$))[^&\s]", re.I
)
# Statuses with which a token endpoint may judge all the same, if it does so by a code: not all keep
# to the 400 of RFC 6749, section 5.2. Those of rate limits and server faults never judge.
_JUDGED_BY_CODE = frozenset({*range(300, 400), 408, 425})
_TOKEN_IN_FORM = re.compile(r"(?:^|[&\s])access_token=")
PASSING_FAILURES: dict[int, ErrorCode] = {
    408: "unavailable",
    425: "unavailable",
    429: "rate_limited",
    503: "unavailable",
}


def error_codes(answer: Answer) -> set[str]:
    """Return every error code in an answer's JSON or form, as text; none if it is neither."""
    document = _document(answer)
    found = [dig(document, path) for path in ERROR_PATHS]
    return {str(code) for code in found if isinstance(code, str | int) and code != ""}


def _document(answer: Answer) -> Any:
    """Return an answer's JSON, or the members of a form that names an error, as GitHub and older
    Graph APIs answer; None where it is neither."""
    try:
        return answer.legible_json()
    except PlatformError:
        names_it = _ERROR_IN_FORM.match(answer.text)
        return dict(parse_qsl(answer.text.strip())) if names_it else None


def names_error(answer: Answer) -> bool:
    """Whether the body says that something failed, whatever its status; see `tells_error`."""
    try:
        return tells_error(answer.legible_json())
    except PlatformError:
        return _ERROR_IN_FORM.match(answer.text) is not None


def tells_error(document: Any) -> bool:
    """Whether an answer's JSON says that something failed.

    So say an error response (RFC 6749, section 5.2), an object in its place, and a list of errors.
    TikTok and Coinbase are among those that send such a body with a status of success.
    """
    if not isinstance(document, dict):
        return False
    # TikTok's API names its successes there too.
    if dig(document, "error.code") == "ok":
        return False
    found = (document.get(name) for name in ("error", "errors", "Error", "Errors"))
    return any(found) or any(document.get(name) is False for name in ("success", "revoked"))


def failure_of(answer: Answer) -> ErrorCode | None:
    """Return the error of a status; None for success."""
    if answer.status in PASSING_FAILURES:
        return PASSING_FAILURES[answer.status]
    if answer.status >= 500:
        return "server_error"
    if answer.status >= 400:
        codes = error_codes(answer)
        if not codes.isdisjoint(answer.passing_errors):
            return "unavailable"
        return "invalid_client" if "invalid_client" in codes else "refused"
    return "redirected" if answer.status >= 300 else None


def require_success(answer: Answer) -> Answer:
    """Return the answer back if its status is a success.

    Raises:
        PlatformError: `redirected`, `rate_limited`, `unavailable`, `server_error`,
            `invalid_client` or `refused`.
    """
    if code := failure_of(answer):
        raise answer.error(code)
    return answer


def token_document(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of a token response.

    Raises:
        PlatformError: As `require_success`; `malformed` if it is no JSON object; `refused` for an
            error that came with a status of success.
    """
    document = require_success(answer).json()
    if not isinstance(document, dict):
        raise answer.error("malformed")
    if document.get("error") and not document.get("access_token"):
        raise answer.error("refused")
    return document


BESIDE = frozenset({"refresh_token", "token_type", "expires_in"})
# How members begin that only a refusal has, in words of whatever API, or as it quotes the request.
OF_REFUSALS = ("error", "message", "detail", "title", "fault", "code", "grant_type")


def is_token_response(answer: Answer) -> bool:
    """Whether a body of a status of failure gives an access token, as RFC 6749, section 5.1, has
    it, and is no refusal that quotes tokens. An access token alone may be an echo, and so is what
    was sent."""
    try:
        document = answer.legible_json()
    except PlatformError:
        return False
    if not isinstance(document, dict) or BESIDE.isdisjoint(document) or _is_refusal(document):
        return False
    given = (document.get("access_token"), document.get("refresh_token"))
    texts = [one for one in given if isinstance(one, str)]
    is_quoted = any(one in answer.sent or MASK.search(one) for one in texts)
    return isinstance(given[0], str) and not is_quoted


def _is_refusal(document: Mapping[str, Any]) -> bool:
    words = (value for name, value in document.items() if name.lower().startswith(OF_REFUSALS))
    return any(words) or tells_error(document)


def require_living_grant(answer: Answer, platform: Platform, *, at: Origin) -> None:
    """Raise DeadGrant where an answer says that the grant is dead.

    Args:
        answer: To a refresh, or to a call on a user's behalf.
        platform: Whose matchers are asked, of which the first that fits decides.
        at: Where it came from: the token endpoint, or the platform's API.

    Raises:
        DeadGrant: So it does.
    """
    becomes = verdict(answer, platform, at=at)
    if becomes is not None and becomes != "unchanged":
        raise DeadGrant(platform=platform.slug, status=answer.status, becomes=becomes)


def verdict(answer: Answer, platform: Platform, *, at: Origin) -> str | None:
    """Return what becomes of a grant by an answer, by the first matcher that fits; None by none."""
    matchers = [one for one in platform.dead_grant if one.at in {None, at}]
    if at == "token" and _is_judged_by_code(answer):
        found = _first_fit((one for one in matchers if one.error), answer)
    else:
        found = _first_fit(matchers, answer) if _is_verdict(answer) else None
    return found.becomes if found else None


def says_dead_token(answer: Answer, revocation: Revocation) -> bool:
    """Whether an answer to a revocation means that the token was dead already."""
    return _is_verdict(answer) and _first_fit(revocation.dead_token, answer) is not None


def _first_fit(matchers: Iterable[DeadGrantMatcher], answer: Answer) -> DeadGrantMatcher | None:
    codes = error_codes(answer)
    return next((one for one in matchers if _fits(one, answer, codes)), None)


def _is_judged_by_code(answer: Answer) -> bool:
    return answer.status in _JUDGED_BY_CODE and error_codes(answer).isdisjoint(
        answer.passing_errors
    )


def _is_verdict(answer: Answer) -> bool:
    """Whether the platform judged the request: rate limits and server faults judge nothing."""
    failure = failure_of(answer)
    if failure is None:
        text = answer.text
        if _ERROR_IN_FORM.match(text):
            return _TOKEN_IN_FORM.search(text) is None
        return '"error"' in text and '"access_token"' not in text
    return failure in {"refused", "invalid_client"} and not is_token_response(answer)


def _fits(matcher: DeadGrantMatcher, answer: Answer, codes: set[str]) -> bool:
    # invalid_client is our own misconfiguration, unless the catalogue says otherwise by name.
    by_status_alone = matcher.error is None and matcher.text is None and not matcher.json
    if by_status_alone and "invalid_client" in codes:
        return False
    return (
        matcher.status in {None, answer.status}
        and (matcher.error is None or matcher.error in codes)
        and (matcher.text is None or _has_text(answer, matcher.text))
        and _has_values(answer, matcher.json)
    )


def _has_text(answer: Answer, text: str) -> bool:
    """Whether a text stands in a body, in any letters, and in JSON with any blanks."""
    text = text.lower()
    if text in answer.text.lower():
        return True
    try:
        document = answer.legible_json()
        written = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    except (PlatformError, RecursionError):
        return False
    compact = written.lower()
    return text in compact or _BLANKS.sub(r"\1", text) in compact


# Strings are kept as they are: the blanks in them count.
_BLANKS = re.compile(r'("[^"]*")|\s+')


def _has_values(answer: Answer, values: Mapping[str, str]) -> bool:
    document = _document(answer) if values else None
    found = {path: dig(document, path) for path in values}
    return all(
        isinstance(one, str | int) and not isinstance(one, bool) and str(one) == values[path]
        for path, one in found.items()
    )
