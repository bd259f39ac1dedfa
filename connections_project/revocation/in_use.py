"""Tokens of a job that a living connection has too: revoking them would end that one.

Some platforms hand out the same refresh token again, be it to a second user of the same account.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from connections_project.core.vault import DecryptionError
from connections_project.oauth.client import TokenSet
from connections_project.oauth.revoking import BY_BEARER
from connections_project.platforms.registry import Upstream
from connections_project.revocation.models import RevocationJob

# The ids of living connections, each with its tokens; None where no key reads them.
Living = Iterable[tuple[UUID, TokenSet | None]]

_lookups: list[Callable[[RevocationJob], Living]] = []


def look_up_living_by(look_up: Callable[[RevocationJob], Living]) -> None:
    """Register what finds the tokens of living connections that may be a job's, too."""
    if look_up not in _lookups:
        _lookups.append(look_up)


def without_those_in_use(job: RevocationJob, found: Upstream, tokens: TokenSet) -> TokenSet:
    """Return what of a job's tokens can be revoked without ending a living connection.

    Args:
        job: Of a grant on which no connection is known to live, where a revocation would end it.

    Raises:
        DecryptionError: No key reads those of a living connection that may be the same.
    """
    revocation = found.platform.revocation
    is_whole = revocation is not None and revocation.blast_radius == "grant"
    if is_whole and job.platform_user_id is not None:
        return tokens
    living = _sharing(job, tokens)
    if is_whole and job.connection_id in living:
        # Whoever gave the grant that its connection lives on gave these too.
        return _nothing(tokens, living.values())
    return _unshared(found, tokens, living.values())


def _sharing(job: RevocationJob, tokens: TokenSet) -> Mapping[UUID, TokenSet]:
    """Return the job's own connection, if it lives, and others that have something of its tokens:
    however many live, few are kept."""
    sharing = {}
    for key, own in (one for look_up in _lookups for one in look_up(job)):
        if own is None:
            raise DecryptionError
        if key == job.connection_id or _shares(own, tokens):
            sharing[key] = own
    return sharing


def _shares(own: TokenSet, tokens: TokenSet) -> bool:
    has_extras = bool(tokens.extras) and own.extras == tokens.extras
    return has_extras or bool(_texts(own) & _texts(tokens))


def _texts(tokens: TokenSet) -> set[str]:
    return {text for text in (tokens.access_token, tokens.refresh_token) if text}


def takes_access_token(found: Upstream) -> bool:
    """Whether an access token may be sent to be revoked."""
    revocation = found.platform.revocation
    return revocation is not None and "access_token" in revocation.tokens


def spares_refresh_token(found: Upstream) -> bool:
    """Whether the refresh token beside a revoked access token lives on: it is sent by itself."""
    revocation = found.platform.revocation
    is_by_bearer = revocation is not None and revocation.kind in BY_BEARER
    return revocation is not None and "refresh_token" in revocation.tokens and not is_by_bearer


def ends_alone(found: Upstream) -> bool:
    """Whether a revoked access token ends nothing else: neither its grant nor its refresh token."""
    revocation = found.platform.revocation
    is_single = revocation is not None and revocation.blast_radius == "token"
    return is_single and takes_access_token(found) and spares_refresh_token(found)


def _unshared(found: Upstream, tokens: TokenSet, living: Collection[TokenSet]) -> TokenSet:
    used = {text for own in living for text in _texts(own)}
    if not used & _texts(tokens):
        return replace(tokens, extras=_own_extras(tokens, living))
    if ends_alone(found) and tokens.access_token not in used:
        return replace(tokens, refresh_token=None, extras=_own_extras(tokens, living))
    return _nothing(tokens, living)


def _nothing(tokens: TokenSet, living: Collection[TokenSet]) -> TokenSet:
    extras = _own_extras(tokens, living)
    return replace(tokens, access_token="", refresh_token=None, extras=extras)


def _own_extras(tokens: TokenSet, living: Collection[TokenSet]) -> Mapping[str, str]:
    is_shared = any(own.extras == tokens.extras for own in living)
    return {} if is_shared else tokens.extras
