"""Taking tokens back at the platform (RFC 7009, and what others have in its place)."""

import time
from collections.abc import Callable, Collection

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

# What one token is given at most, so that one that hangs leaves time for the next.
SECONDS_A_TOKEN = 10.0
Maker = Callable[[Platform, ClientRegistration, Revocation, str, str], Request]


class _WrongKindError(PlatformError):
    """The platform can't revoke a token of this kind, but perhaps the other one.

    It says `unsupported_token_type` (RFC 7009, section 2.2.1), or does not let a refresh token in
    as a Bearer.
    """


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
    revocation = platform.revocation
    if revocation is None:
        raise PlatformError("refused", platform=platform.slug)
    ends_at = time.monotonic() + within
    present = _present(platform, revocation, tokens)
    left = [name for name, _ in present if name not in accepted]

    def revoke_one(hint: str, token: str) -> None:
        share = (ends_at - time.monotonic()) / len(left)
        left.remove(hint)
        _revoke_one(
            platform,
            _MAKERS[revocation.kind](platform, registration, revocation, hint, token),
            within=min(share, SECONDS_A_TOKEN),
            has_more_behind=leaves_refresh_token(revocation, tokens),
        )
        accept(hint)

    _revoke_each(
        [(name, token) for name, token in present if name not in accepted],
        revoke_one,
        any_is_enough=_is_by_bearer(platform),
        succeeded=bool(accepted),
    )


def leaves_refresh_token(revocation: Revocation, tokens: TokenSet) -> bool:
    """Whether a refresh token is held that is only ended through its access token.

    An access token that has run out then proves nothing: the refresh token lives on.
    """
    return tokens.refresh_token is not None and "refresh_token" not in revocation.tokens


def _revoke_each(
    tokens: list[tuple[str, str]],
    revoke_one: Callable[[str, str], None],
    *,
    any_is_enough: bool,
    succeeded: bool,
) -> None:
    """Revoke all; a token of the wrong kind counts as failed unless one before it was revoked.

    Where the refresh token is gone, its access tokens end with it or shortly after (RFC 7009, 2.1).
    A Bearer that was let in has ended the whole grant, so there one success is enough.
    """
    failure: PlatformError | None = None
    for hint, token in tokens:
        try:
            revoke_one(hint, token)
            succeeded, failure = True, None if any_is_enough else failure
        except _WrongKindError as error:
            failure = failure or (None if succeeded else error)
        except PlatformError as error:
            failure = failure or error
            if error.code != "timeout":
                break
    if failure:
        raise failure


def _present(platform: Platform, revocation: Revocation, tokens: TokenSet) -> list[tuple[str, str]]:
    held = [(name, getattr(tokens, name)) for name in revocation.tokens]
    present = [
        (name, require_vschar(token, platform=platform.slug)) for name, token in held if token
    ]
    if not present:
        raise PlatformError("refused", platform=platform.slug)
    return present


def _revoke_one(
    platform: Platform, request: Request, *, within: float, has_more_behind: bool
) -> None:
    answer = send(request, platform=platform, within=within)
    if not _is_revoked(answer, platform, has_more_behind=has_more_behind):
        raise _failure(answer, by_bearer=_is_by_bearer(platform))


def _is_by_bearer(platform: Platform) -> bool:
    return platform.revocation is not None and platform.revocation.kind in BY_BEARER


def _is_revoked(answer: Answer, platform: Platform, *, has_more_behind: bool) -> bool:
    revocation = platform.revocation
    if revocation is None:
        return True
    # RFC 7009, section 2.2 wants 200 for a token that is dead already; Google says this instead.
    is_rfc7009 = revocation.kind == "rfc7009"
    dead_already = is_rfc7009 and answer.status == 400 and "invalid_token" in error_codes(answer)
    if dead_already or says_dead_token(answer, revocation):
        return not has_more_behind
    accepted = answer.status in revocation.success_status
    return accepted and not names_error(answer) and not _is_page(answer)


def _is_page(answer: Answer) -> bool:
    """Whether it is a page for people, as a proxy shows it during maintenance."""
    return answer.text.lstrip()[:1] == "<"


def _failure(answer: Answer, *, by_bearer: bool) -> PlatformError:
    # A success that the catalogue doesn't know as one is no proof that the token is dead.
    refusal: ErrorCode = "refused" if names_error(answer) else "malformed"
    failure = answer.error(failure_of(answer) or refusal)
    is_locked_out = by_bearer and answer.status == 401
    if failure.code == "refused" and (
        is_locked_out or "unsupported_token_type" in error_codes(answer)
    ):
        return _WrongKindError("refused", platform=answer.platform, status=answer.status)
    return failure


def _rfc7009(
    platform: Platform,
    registration: ClientRegistration,
    revocation: Revocation,
    hint: str,
    token: str,
) -> Request:
    form = {"token": token, "token_type_hint": hint}
    if not revocation.client_auth:
        return Request("POST", revocation.endpoint, form=form)
    return authenticated_form(platform, registration, url=revocation.endpoint, form=form)


def _bearer_post(
    platform: Platform,
    registration: ClientRegistration,
    revocation: Revocation,
    _hint: str,
    token: str,
) -> Request:
    form = None
    if revocation.client_auth and platform.token_endpoint_auth_method == "client_secret_post":  # noqa: S105
        # Coinbase wants both. Basic credentials would need the header that the token stands in.
        form = {"token": token, **in_body(platform, registration)}
    return Request("POST", revocation.endpoint, headers=bearer(token), form=form)


def _json_post(
    platform: Platform,
    registration: ClientRegistration,
    revocation: Revocation,
    _hint: str,
    token: str,
) -> Request:
    client = in_body(platform, registration) if revocation.client_auth else {}
    return Request("POST", revocation.endpoint, json={**client, "token": token})


def _delete(
    _platform: Platform,
    _registration: ClientRegistration,
    revocation: Revocation,
    _hint: str,
    token: str,
) -> Request:
    return Request("DELETE", revocation.endpoint, headers=bearer(token))


_MAKERS: dict[str, Maker] = {
    "rfc7009": _rfc7009,
    "bearer_post": _bearer_post,
    "json_post": _json_post,
    "delete": _delete,
}
