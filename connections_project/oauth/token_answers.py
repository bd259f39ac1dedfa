"""What a token endpoint gave: tokens, or an answer that can't be used and yet may hold some.

Whatever follows its 200, the tokens are the user's: what can be read of them is kept for whoever
stores or revokes it.
"""

import json
import re
from urllib.parse import unquote_plus

from connections_project.oauth.answers import failure_of, token_document
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.platform_entries import Platform
from connections_project.oauth.tokens import VSCHAR, TokenSet, parse_token_response
from connections_project.oauth.transport import Answer, Request, send

# In a JSON object, whole or not (RFC 8259, section 7); or in a form, as some platforms answer.
_IN_JSON = re.compile(r'"(access_token|refresh_token)"\s*:\s*("(?:[^"\\]|\\.)*"|[0-9]+)')
_IN_FORM = re.compile(r"(?:^|&)(access_token|refresh_token)=([^&\s]+)")


class UnusableTokensError(PlatformError):
    """A token endpoint gave tokens in an answer that can't be used as it came, or broke off.

    Args:
        error: Why not.
        tokens: Those that can be read; an access token that can't is empty.
    """

    def __init__(self, error: PlatformError, tokens: TokenSet) -> None:
        super().__init__(error.code, platform=error.platform, status=error.status)
        self.tokens = tokens


def ask_for_tokens(request: Request, *, platform: Platform, within: float) -> Answer:
    """Ask a token endpoint.

    Raises:
        UnusableTokensError: The answer broke off after its tokens.
        PlatformError: See `send`.
    """
    try:
        return send(request, platform=platform, within=within)
    except PlatformError as error:
        found = _readable(error.received.success) if error.received else None
        if found is None:
            raise
        failure = UnusableTokensError(error, found)
    raise failure


def read_tokens(answer: Answer) -> TokenSet:
    """Read the answer of a token endpoint (RFC 6749, section 5.1).

    Raises:
        UnusableTokensError: See there.
        PlatformError: A refusal, a fault, or nothing that could be a token.
    """
    try:
        return parse_token_response(token_document(answer), platform=answer.platform)
    except PlatformError as error:
        found = None if failure_of(answer) else _readable(answer.text)
        if found is None:
            raise
        failure = UnusableTokensError(error, found)
    raise failure


def _readable(text: str) -> TokenSet | None:
    """Find tokens in a text that is no token response."""
    in_json = {name: _json_text(value) for name, value in _IN_JSON.findall(text)}
    in_form = {name: unquote_plus(value) for name, value in _IN_FORM.findall(text)}
    found = {name: value for name, value in {**in_form, **in_json}.items() if _is_token(value)}
    return TokenSet(found.get("access_token", ""), found.get("refresh_token")) if found else None


def _json_text(value: str) -> str:
    try:
        return str(json.loads(value, strict=False, parse_int=str))
    except ValueError:
        return ""


def _is_token(value: str) -> bool:
    return VSCHAR.fullmatch(value) is not None
