"""What a token endpoint gave: tokens, or an answer that can't be used and yet may hold some.

Whatever follows its 200, the tokens are the user's: what can be read of them is kept for whoever
stores or revokes it.
"""

import html
import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import unquote_plus

from connections_project.oauth.answers import failure_of, is_token_response, token_document
from connections_project.oauth.errors import PlatformError, Received
from connections_project.oauth.kept_fields import kept_in, readable_fields
from connections_project.oauth.platform_entries import Platform
from connections_project.oauth.tokens import MASK, VSCHAR, TokenSet, parse_token_response
from connections_project.oauth.transport import Answer, Request, send
from connections_project.oauth.wrapped_text import unpacked, unquoted

# In a JSON object, whole or not (RFC 8259, section 7), also as the only text in a list or an object
# of its own, or an object's `value` or `token`; or in a form, its members in one line or in many,
# or in XML, as some platforms answer. Something must follow a token, since one at the end of what
# has come may be cut off in its midst.
_TEXT = r'"(?:[^"\\]|\\.)*"'
_IN_JSON = re.compile(rf'"(access_token|refresh_token)"\s*:\s*({_TEXT}|[0-9]+(?=[^0-9]))')
_INSIDE_JSON = re.compile(
    rf'"(access_token|refresh_token)"\s*:\s*(?:\[|\{{\s*{_TEXT}\s*:)\s*({_TEXT})\s*[\]}}]'
)
_IN_OBJECT = re.compile(
    rf'"(access_token|refresh_token)"\s*:\s*\{{[^{{}}]*?"(?:token|value)"\s*:\s*({_TEXT})'
)
# Also after the `?` of an address, and with `;` or `&amp;` between.
_IN_FORM = re.compile(
    r"(?:^\??|[&;])(access_token|refresh_token)=([^&\s]+?)(?=[&\s]|;\w+=)", re.MULTILINE
)
_IN_XML = re.compile(
    r"<(?:\w+:)?(access_token|refresh_token)(?:\s[^<>]*)?>(?:<!\[CDATA\[)?([^<]*)<"
)


class UnusableTokensError(PlatformError):
    """A token endpoint gave tokens in an answer that can't be used as it came, or broke off.

    Args:
        error: Why not.
        tokens: Those that can be read, and what came beside them (`with_kept_fields`); an access
            token that can't is empty.
    """

    def __init__(self, error: PlatformError, tokens: TokenSet) -> None:
        super().__init__(error.code, platform=error.platform, status=error.status)
        self.tokens = tokens
        self.received = error.received


def ask_for_tokens(request: Request, *, platform: Platform, within: float) -> Answer:
    """Ask a token endpoint.

    Raises:
        UnusableTokensError: The answer broke off after its tokens.
        PlatformError: See `send`.
    """
    sent = request.parameters
    try:
        return replace(send(request, platform=platform, within=within), sent=sent)
    except PlatformError as error:
        found = _first_readable(error.received.success if error.received else (), sent)
        if found is None:
            raise
        failure = UnusableTokensError(error, found)
    raise failure


def read_tokens(answer: Answer) -> TokenSet:
    """Read the answer of a token endpoint (RFC 6749, section 5.1).

    Raises:
        UnusableTokensError: See there.
        PlatformError: A refusal, a fault, or nothing that could be a token. Of a status of failure
            only a whole token response is read: a refusal may quote what it got.
    """
    try:
        return parse_token_response(token_document(answer), platform=answer.platform)
    except PlatformError as error:
        error.received = Received(answer.status, bytearray(answer.body))
        found = (
            _tokens_of_failure(answer)
            if failure_of(answer)
            else _readable(answer.body, answer.sent, is_whole=True)
        )
        if found is None:
            raise
        failure = UnusableTokensError(error, found)
    raise failure


def with_kept_fields(error: PlatformError, fields: Mapping[str, str]) -> PlatformError:
    """Return the failure of a token endpoint with what came beside tokens, as far as that can be
    read; it may have come with none.

    Args:
        fields: The catalogue's `kept_token_fields`.
    """
    tokens = error.tokens if isinstance(error, UnusableTokensError) else TokenSet("")
    bodies = error.received.success if error.received else ()
    extras = kept_in(tokens.response, fields) or readable_fields(bodies, fields)
    return UnusableTokensError(error, replace(tokens, extras=extras)) if extras else error


@contextmanager
def unusable_tokens_as(stored: Callable[[TokenSet], TokenSet]) -> Iterator[None]:
    """Have what can be read of an unusable answer be what a platform's tokens are stored as.

    Args:
        stored: Makes that of a fresh access token, as of one in an answer that can be used.
    """
    try:
        yield
    except UnusableTokensError as error:
        if error.tokens.access_token:
            error.tokens = stored(error.tokens)
        raise


def _tokens_of_failure(answer: Answer) -> TokenSet | None:
    if not is_token_response(answer):
        return None
    with suppress(PlatformError):
        return parse_token_response(answer.legible_json(), platform=answer.platform)
    return None


def _first_readable(bodies: Iterable[bytes], sent: Container[str]) -> TokenSet | None:
    return next((found for body in bodies if (found := _readable(body, sent))), None)


def _readable(body: bytes, sent: Container[str], *, is_whole: bool = False) -> TokenSet | None:
    """Find tokens in a body that is no token response, or is packed and not said to be.

    Args:
        is_whole: Whether nothing of it is missing, so that what stands at its end is whole too.
        sent: What is no fresh token, but an echo, or the refresh token that stays the same.
    """
    read = _tokens_in(body, is_whole=is_whole) or _packed_tokens_in(body)
    found = {name: token for name, token in read.items() if token not in sent}
    return TokenSet(found.get("access_token", ""), found.get("refresh_token")) if found else None


def _packed_tokens_in(body: bytes) -> dict[str, str]:
    text, is_whole = unpacked(body)
    return _tokens_in(text, is_whole=is_whole)


def _tokens_in(body: bytes, *, is_whole: bool) -> dict[str, str]:
    end = "\n" if is_whole else ""
    found = (_tokens_at_once(text + end) for text in unquoted(body))
    return next(filter(None, found), {})


def _tokens_at_once(text: str) -> dict[str, str]:
    if "access_token" not in text and "refresh_token" not in text:
        return {}
    found = [
        (name, read(value).strip("\r\n\t"))
        for pattern, read in _READERS
        for name, value in pattern.findall(text)
    ]
    # Of those of one name the last, as long as it is a token.
    return {name: value for name, value in found if _is_token(value)}


def _xml_text(value: str) -> str:
    return html.unescape(value.removesuffix("]]>").strip())


def _json_text(value: str) -> str:
    try:
        return str(json.loads(value, strict=False, parse_int=str))
    except ValueError:
        return ""


# The later ones count more.
_READERS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_IN_FORM, unquote_plus),
    (_IN_XML, _xml_text),
    (_IN_OBJECT, _json_text),
    (_INSIDE_JSON, _json_text),
    (_IN_JSON, _json_text),
)


def _is_token(value: str) -> bool:
    return VSCHAR.fullmatch(value) is not None and not MASK.search(value)
