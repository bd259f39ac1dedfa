"""Taking tokens back at the platform (RFC 7009, and what others have in its place)."""

import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from connections_project.oauth.answers import (
    error_codes,
    failure_of,
    names_error,
    says_dead_token,
)
from connections_project.oauth.catalog import Platform, Revocation
from connections_project.oauth.client_authentication import authenticated_form, bearer, in_body
from connections_project.oauth.errors import ErrorCode, PlatformError
from connections_project.oauth.observers import calling
from connections_project.oauth.tokens import ClientRegistration, TokenSet, require_vschar
from connections_project.oauth.transport import Answer, Request, send

# Where the token to revoke is also what lets us in.
BY_BEARER = frozenset({"bearer_post", "delete"})

PAGES = frozenset({"text/html", "application/xhtml+xml"})
_SPEAKS_OF_ERROR = re.compile(
    r"(?i)error|unavailable|unauthori|invalid|denied|fail|forbid|maintenance|\bnot\b|n['\u2019]t\b"
)
_ACKNOWLEDGES = re.compile(r"(?i)\A\W*(?:ok|true|1)\W*\Z|\b(?:success(?:ful(?:ly)?)?|revoked)\b")
# As no plain text does, such as "[OK]".
_BEGINS_JSON = re.compile(r"\{|\[\s*[\"{\[]")

# What one token is given at most, so that one that hangs leaves time for the next.
SECONDS_A_TOKEN = 10.0


class _WrongKindError(PlatformError):
    """The platform can't revoke a token of this kind, but perhaps the other one.

    It says `unsupported_token_type` (RFC 7009, section 2.2.1), or does not let a refresh token in
    as a Bearer.
    """


@dataclass(frozen=True)
class _Token:
    """A token to revoke.

    Args:
        name: "access_token" or "refresh_token".
        leaves_refresh_token: See `leaves_refresh_token`.
    """

    platform: Platform
    registration: ClientRegistration
    revocation: Revocation
    name: str
    text: str = field(repr=False)
    leaves_refresh_token: bool

    @property
    def is_bearer(self) -> bool:
        return self.revocation.kind in BY_BEARER

    def revoke(self, *, within: float) -> None:
        request = _REQUESTS[self.revocation.kind](self)
        answer = send(request, platform=self.platform, within=min(within, SECONDS_A_TOKEN))
        if not _is_revoked(answer, self):
            raise _failure(answer, by_bearer=self.is_bearer)


@calling("revoke")
def revoke(
    platform: Platform,
    registration: ClientRegistration,
    *,
    tokens: TokenSet,
    within: float = 10.0,
    accepted: Collection[str] = (),
    accept: Callable[[str], object] = lambda _: None,
) -> None:
    """Revoke these tokens at the platform, in the catalogue's order.

    Args:
        platform: With a `revocation` of a kind that is not "adapter".
        tokens: What to take back; a token that it doesn't hold is passed over.
        within: Seconds for all calls together; each token has its share of what is left.
        accepted: Which tokens the platform has taken back before; they are not sent again.
        accept: Called with each token's name as soon as the platform has taken it back.

    Raises:
        PlatformError: A token may still be good. `refused` also where there is nothing that could
            be sent, since then nothing was revoked.
    """
    ends_at = time.monotonic() + within
    held = _held(platform, registration, tokens)

    def revoke_one(token: _Token, left: int) -> None:
        token.revoke(within=(ends_at - time.monotonic()) / left)
        accept(token.name)

    left = [token for token in held if token.name not in accepted]
    _revoke_each(left, revoke_one, succeeded=bool(accepted))


def leaves_refresh_token(revocation: Revocation, tokens: TokenSet) -> bool:
    """Whether a refresh token is held that is only ended through its access token.

    An access token that has run out then proves nothing: the refresh token lives on.
    """
    return tokens.refresh_token is not None and "refresh_token" not in revocation.tokens


def _revoke_each(
    tokens: Sequence[_Token], revoke_one: Callable[[_Token, int], None], *, succeeded: bool
) -> None:
    """Revoke all; a token of the wrong kind counts as failed unless one before it was revoked.

    Where the refresh token is gone, its access tokens end with it or shortly after (RFC 7009, 2.1).
    A Bearer that was let in has ended the whole grant, so there one success is enough.

    Args:
        revoke_one: Takes a token, and how many are left with it.
        succeeded: Whether the platform has taken one back before.
    """
    failure: PlatformError | None = None
    for number, token in enumerate(tokens):
        try:
            revoke_one(token, len(tokens) - number)
            succeeded, failure = True, None if token.is_bearer else failure
        except _WrongKindError as error:
            failure = failure or (None if succeeded else error)
        except PlatformError as error:
            failure = failure or error
            if error.code != "timeout":
                break
    if failure:
        raise failure


def _held(platform: Platform, registration: ClientRegistration, tokens: TokenSet) -> list[_Token]:
    """Return the tokens that there are, in the catalogue's order."""
    revocation = platform.revocation
    names = revocation.tokens if revocation else ()
    texts = [(name, getattr(tokens, name)) for name in names]
    held = [(name, require_vschar(text, platform=platform.slug)) for name, text in texts if text]
    if revocation is None or not held:
        raise PlatformError("refused", platform=platform.slug)
    more = leaves_refresh_token(revocation, tokens)
    return [_Token(platform, registration, revocation, *one, more) for one in held]


def _is_revoked(answer: Answer, token: _Token) -> bool:
    revocation = token.revocation
    # RFC 7009, section 2.2 wants 200 for a token that is dead already; Google says this instead.
    is_rfc7009 = revocation.kind == "rfc7009"
    dead_already = is_rfc7009 and answer.status == 400 and "invalid_token" in error_codes(answer)
    if dead_already or says_dead_token(answer, revocation):
        return not token.leaves_refresh_token
    return answer.status in revocation.success_status and _proves(answer)


def _proves(answer: Answer) -> bool:
    """Whether a body leaves a success one (docs/catalog.md, "Keys of its revocation")."""
    if names_error(answer):
        return False
    try:
        answer.legible_json()
    except PlatformError:
        text = answer.text.strip()
        return not text or not (_is_page(answer, text) or _is_broken_json(answer, text))
    return True


def _is_page(answer: Answer, text: str) -> bool:
    """Whether it is a page for people, as a proxy shows it during maintenance, or a notice in words
    that is said to be one. Frameworks also call a short "OK" a page."""
    if text.startswith("<") or answer.media_type not in PAGES:
        return text.startswith("<")
    is_good = _ACKNOWLEDGES.search(text) and not _SPEAKS_OF_ERROR.search(text)
    return "<" in text or not is_good


def _is_broken_json(answer: Answer, text: str) -> bool:
    is_said = answer.media_type.endswith("json") and _SPEAKS_OF_ERROR.search(text) is not None
    return _BEGINS_JSON.match(text) is not None or is_said


def _failure(answer: Answer, *, by_bearer: bool) -> PlatformError:
    # A success that the catalogue doesn't know as one is no proof that the token is dead.
    refusal: ErrorCode = "refused" if names_error(answer) else "malformed"
    if "invalid_client" in error_codes(answer):
        refusal = "invalid_client"
    failure = answer.error(failure_of(answer) or refusal)
    is_locked_out = by_bearer and answer.status == 401
    if failure.code == "refused" and (
        is_locked_out or "unsupported_token_type" in error_codes(answer)
    ):
        return _WrongKindError("refused", platform=answer.platform, status=answer.status)
    return failure


def _rfc7009(token: _Token) -> Request:
    url = token.revocation.endpoint
    form = {"token": token.text, "token_type_hint": token.name}
    if not token.revocation.client_auth:
        return Request("POST", url, form=form)
    return authenticated_form(token.platform, token.registration, url=url, form=form)


def _bearer_post(token: _Token) -> Request:
    form = None
    method = token.platform.token_endpoint_auth_method
    if token.revocation.client_auth and method == "client_secret_post":
        # Coinbase wants both. Basic credentials would need the header that the token stands in.
        form = {"token": token.text, **in_body(token.platform, token.registration)}
    return Request("POST", token.revocation.endpoint, headers=bearer(token.text), form=form)


def _json_post(token: _Token) -> Request:
    wants_client = token.revocation.client_auth
    client = in_body(token.platform, token.registration) if wants_client else {}
    return Request("POST", token.revocation.endpoint, json={**client, "token": token.text})


def _delete(token: _Token) -> Request:
    return Request("DELETE", token.revocation.endpoint, headers=bearer(token.text))


_REQUESTS: dict[str, Callable[[_Token], Request]] = {
    "rfc7009": _rfc7009,
    "bearer_post": _bearer_post,
    "json_post": _json_post,
    "delete": _delete,
}
