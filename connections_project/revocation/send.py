"""Open a sealed token and revoke it at the platform. Nothing else opens one."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection

from connections_project.core import clock
from connections_project.core.storable import require_storable
from connections_project.core.vault import DecryptionError, open_sealed, seal
from connections_project.oauth.client import TokenSet, UnusableTokensError
from connections_project.oauth.deadline import allowing
from connections_project.oauth.errors import DeadGrant, PlatformError
from connections_project.oauth.revoking import BY_BEARER, SECONDS_A_TOKEN, leaves_refresh_token
from connections_project.platforms import client
from connections_project.platforms.adapter import has_extras
from connections_project.platforms.registry import Upstream, has_credentials, upstream
from connections_project.revocation.grants import Grant, has_holders
from connections_project.revocation.in_use import without_those_in_use
from connections_project.revocation.models import RevocationJob, Verification

logger = logging.getLogger(__name__)


class CannotSendError(Exception):
    """Nothing could be sent, for a reason of our own; the job is tried again until it is given up.

    Args:
        code: "invalid_client", "unsupported" or "unreadable_token".
    """

    retry_after = None

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StillAliveError(CannotSendError):
    """The platform has accepted the tokens, and one of them is still good."""

    def __init__(self) -> None:
        super().__init__(Verification.STILL_ALIVE.value)


class SkippedError(Exception):
    """It must not be revoked any more: a live sibling shares the grant, or the very tokens."""


# Called with a grant that a platform was asked to end, if connections have come to stand on it
# meanwhile; what it raises counts as a failure of the job.
_confirmations: list[Callable[[Grant], object]] = []


def confirm_holders_by(confirm: Callable[[Grant], object]) -> None:
    """Register what looks after those who connect beside a revocation that ends their grant."""
    if confirm not in _confirmations:
        _confirmations.append(confirm)


@dataclass(frozen=True)
class Sent:
    """What a platform has accepted to be revoked."""

    upstream: Upstream
    tokens: TokenSet = field(repr=False)


def send(job: RevocationJob, *, deadline: float) -> Sent:
    """Revoke a job's tokens at its platform, or only what came beside them.

    Args:
        job: A claimed job.
        deadline: When the attempt must be over, on the monotonic clock in seconds.

    Raises:
        PlatformError: The platform refused or could not be reached.
        CannotSendError: No credentials, no mechanism, or no key that reads the token.
        SkippedError: The user has connected anew on a grant that a revocation would end, or a
            living connection has one of the tokens.
    """
    found = upstream(job.platform)
    if found is None or (found.platform.revocation is None and not job.extras_only):
        raise CannotSendError("unsupported")
    if not has_credentials(found):
        raise CannotSendError("invalid_client")
    if job.extras_only:
        return _send_extras(job, found, deadline)
    _refuse_a_shared_grant(job, found, deadline)
    held = _opened(job)
    tokens = _not_in_use(job, found, held)
    try:
        if tokens.refresh_token == held.refresh_token and tokens.access_token == held.access_token:
            return _send(job, found, tokens, deadline)
        _send_the_rest(job, found, tokens, deadline)
        raise SkippedError
    finally:
        if _is_shared(job, found):
            _confirm_holders(job, deadline)


def _not_in_use(job: RevocationJob, found: Upstream, held: TokenSet) -> TokenSet:
    try:
        return without_those_in_use(job, found, held)
    except DecryptionError:
        # Once the key is back, it shows whether a living connection has them.
        raise CannotSendError("unreadable_token") from None


def _send(job: RevocationJob, found: Upstream, tokens: TokenSet, deadline: float) -> Sent:
    try:
        _revoke(job, found, tokens, deadline)
    except PlatformError as error:
        if not _is_locked_out(error, found, tokens):
            raise
        fresh = _refreshed(job, found, tokens, deadline)
        if fresh is not None:
            _revoke(job, found, fresh, deadline)
            tokens = fresh
    return Sent(found, tokens)


def _revoke(job: RevocationJob, found: Upstream, tokens: TokenSet, deadline: float) -> None:
    """Send what the platform has not accepted yet, and note each token that it accepts.

    The note is stored with what becomes of the job.
    """

    def accept(name: str) -> None:
        job.accepted_tokens = " ".join([*job.accepted_tokens.split(), name])

    accepted = job.accepted_tokens.split()
    client.revoke(found, tokens, within=_left(deadline), accepted=accepted, accept=accept)


def _send_extras(job: RevocationJob, found: Upstream, deadline: float) -> Sent:
    """Revoke what came beside a job's tokens, without these: nobody is to probe them either."""
    extras = replace(_opened(job), access_token="", refresh_token=None)
    client.revoke_extras(found, extras, within=_left(deadline))
    return Sent(found, extras)


def _send_the_rest(job: RevocationJob, found: Upstream, tokens: TokenSet, deadline: float) -> None:
    """Revoke what is left of a job's tokens without those that a living connection has."""
    if tokens.access_token:
        _revoke(job, found, tokens, deadline)
    else:
        client.revoke_extras(found, tokens, within=_left(deadline))


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.1)


def _is_locked_out(error: PlatformError, found: Upstream, tokens: TokenSet) -> bool:
    """Whether an access token that has run out kept us from revoking the grant behind it.

    Where the token to revoke is the Bearer itself, its 401 says nothing of the refresh
    token, which lives on; nor does an error that came with a status of success, as from Coinbase.
    Neither does a refusal where only the access token may be sent.
    """
    revocation = found.platform.revocation
    if revocation is None or error.code != "refused" or tokens.refresh_token is None:
        return False
    if revocation.kind in BY_BEARER:
        return error.status is not None and (error.status == 401 or error.status < 300)
    return leaves_refresh_token(revocation, tokens)


def _refreshed(
    job: RevocationJob, found: Upstream, tokens: TokenSet, deadline: float
) -> TokenSet | None:
    """Get an access token that lets us in, and keep it for the next try; None: all is dead."""
    require_storable()
    try:
        fresh = client.refresh(found, tokens, within=_left(deadline))
    except DeadGrant:
        return None
    except UnusableTokensError as error:
        # The refresh token of before may be spent: what can be read is all that ends the grant.
        fresh = replace(error.tokens, access_token=error.tokens.access_token or tokens.access_token)
    fresh = fresh.completed_by(tokens)
    job.accepted_tokens = ""
    job.token_expires_at = _end_of(fresh)
    _keep(job, fresh)
    return fresh


def _keep(job: RevocationJob, fresh: TokenSet) -> None:
    """Store tokens that have come; where the database fails twice, all that is left is to send
    them at once: the next try would take the spent ones' refusal for the end of the grant."""
    try:
        _store(job, fresh)
    except (DatabaseError, InterfaceError):
        if not connection.in_atomic_block:
            # After a failover this one leads nowhere; the next statement opens one anew.
            connection.close()
        try:
            _store(job, fresh)
        except (DatabaseError, InterfaceError) as error:
            words = "Fresh tokens of job %s at %s could not be stored (%s)"
            logger.error(words, job.pk, job.platform, type(error).__name__)  # noqa: TRY400


def _store(job: RevocationJob, fresh: TokenSet) -> None:
    # Whoever has the job by now: the tokens of before are spent.
    RevocationJob.pending().filter(pk=job.pk).update(
        sealed_tokens=seal(fresh.as_payload(), subject=_subject(job)),
        accepted_tokens="",
        token_expires_at=job.token_expires_at,
    )


def _end_of(tokens: TokenSet) -> datetime | None:
    seconds = tokens.expires_in
    return None if seconds is None else clock.now() + timedelta(seconds=seconds)


def _refuse_a_shared_grant(job: RevocationJob, found: Upstream, deadline: float) -> None:
    if not _is_shared(job, found):
        return
    if job.attempts > 1:
        # A try before this one, of which no answer came, may have ended the grant all the same.
        _confirm_holders(job, deadline)
    if has_extras(job.platform):
        _send_extras(job, found, deadline)
    raise SkippedError


def _confirm_holders(job: RevocationJob, deadline: float) -> None:
    with allowing(within=_left(deadline), each=SECONDS_A_TOKEN):
        for confirm in _confirmations:
            confirm(_grant_of(job))


def _is_shared(job: RevocationJob, found: Upstream) -> bool:
    """Whether the revocation would end, or has ended, the grant of a live connection."""
    revocation = found.platform.revocation
    is_whole = revocation is not None and revocation.blast_radius == "grant"
    return is_whole and has_holders(_grant_of(job))


def _grant_of(job: RevocationJob) -> Grant:
    return Grant(job.authority, job.client_id, job.platform_user_id)


def _opened(job: RevocationJob) -> TokenSet:
    try:
        if job.sealed_tokens is None:
            raise DecryptionError
        payload = open_sealed(job.sealed_tokens, subject=_subject(job))
    except DecryptionError:
        raise CannotSendError("unreadable_token") from None
    return replace(TokenSet.from_payload(payload), user_id=job.platform_user_id)


def _subject(job: RevocationJob) -> str:
    return f"connection:{job.connection_id}"
