"""Open a sealed token and tell the platform to forget it. Nothing else opens one."""

import time

from connections_project.oauth import client
from connections_project.oauth.client import TokenSet
from connections_project.platforms.registry import Upstream, has_credentials, upstream
from connections_project.revocation.grants import Grant, has_holders
from connections_project.revocation.models import RevocationJob
from connections_project.vault import DecryptionError, open_sealed


class CannotSendError(Exception):
    """Nothing could be sent, for a reason of our own; the job is tried again until it is given up.

    Args:
        code: "invalid_client", "unsupported" or "unreadable_token".
    """

    retry_after = None

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SkippedError(Exception):
    """The platform must not be told any more: a live sibling stands on the same grant."""


def send(job: RevocationJob, *, deadline: float) -> None:
    """Revoke a job's tokens at its platform.

    Args:
        job: A claimed job.
        deadline: When the attempt must be over, on the monotonic clock in seconds.

    Raises:
        PlatformError: The platform refused or could not be reached.
        CannotSendError: No credentials, no mechanism, or no key that reads the token.
        SkippedError: The user has connected anew on a grant that a revocation would end.
    """
    found = upstream(job.platform)
    if found is None or found.platform.revocation is None:
        raise CannotSendError("unsupported")
    if not has_credentials(found):
        raise CannotSendError("invalid_client")
    _refuse_a_shared_grant(job, found)
    within = max(deadline - time.monotonic(), 0.1)
    client.revoke(found.platform, found.registration, tokens=_opened(job), within=within)


def _refuse_a_shared_grant(job: RevocationJob, found: Upstream) -> None:
    revocation = found.platform.revocation
    grant = Grant(job.authority, job.client_id, job.platform_user_id)
    if revocation is None or revocation.blast_radius != "grant":
        return
    if has_holders(grant):
        raise SkippedError


def _opened(job: RevocationJob) -> TokenSet:
    try:
        if job.sealed_tokens is None:
            raise DecryptionError
        payload = open_sealed(job.sealed_tokens, subject=f"connection:{job.connection_id}")
    except DecryptionError:
        raise CannotSendError("unreadable_token") from None
    return TokenSet.from_payload(payload)
