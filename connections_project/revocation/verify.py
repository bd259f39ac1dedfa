"""Probe tokens that a platform says are revoked, before they are erased here.

A platform may answer 200 to everything. So each token that was to die is tried, where the catalogue
says how: an access token that has not run out anyway, and a refresh token by introspection alone,
since trying it out would spend it.
"""

import logging
import time
from collections.abc import Iterator

from connections_project.core import clock
from connections_project.oauth.errors import PlatformError
from connections_project.platforms import client
from connections_project.platforms.registry import Upstream
from connections_project.revocation.circuits import may_probe, note_probe
from connections_project.revocation.models import RevocationJob, Verification
from connections_project.revocation.send import Sent

logger = logging.getLogger(__name__)

LEAST_SECONDS = 0.05


def verify(job: RevocationJob, sent: Sent, *, deadline: float) -> Verification:
    """Return whether a job's tokens are dead. What can't be told stays so, and is not repeated.

    Args:
        job: Whose revocation the platform has just accepted.
        deadline: When the last probe must be over, on the monotonic clock in seconds.
    """
    probes = list(_probes(job, sent))
    verdicts = [_probe(sent.upstream, hint, token, deadline) for hint, token in probes]
    if any(verdicts):
        return Verification.STILL_ALIVE
    if verdicts and None not in verdicts:
        return Verification.VERIFIED_DEAD
    if job.verification == Verification.STILL_ALIVE and not _has_run_out(job, sent):
        # Its word is no proof: it has accepted a token before that went on being good.
        return Verification.STILL_ALIVE
    return Verification.UNVERIFIABLE


def _probes(job: RevocationJob, sent: Sent) -> Iterator[tuple[str, str]]:
    """Name each token that can be probed, with its kind."""
    revocation = sent.upstream.platform.revocation
    if revocation is None or revocation.verify == "none":
        return
    access_token, refresh_token = sent.tokens.access_token, sent.tokens.refresh_token
    if revocation.ends("access_token") and access_token and not _is_past(job):
        yield "access_token", access_token
    is_told = revocation.verify == "introspection" and revocation.ends("refresh_token")
    # Meta's and others' access tokens stand in for refresh tokens too.
    if is_told and refresh_token and refresh_token != access_token:
        yield "refresh_token", refresh_token


def _is_past(job: RevocationJob) -> bool:
    return job.token_expires_at is not None and job.token_expires_at <= clock.now()


def _has_run_out(job: RevocationJob, sent: Sent) -> bool:
    """Whether nothing is left that could be good: an access token alone, and past its time."""
    return _is_past(job) and sent.tokens.refresh_token is None


def _probe(found: Upstream, hint: str, token: str, deadline: float) -> bool | None:
    slug, within = found.platform.slug, deadline - time.monotonic()
    if within < LEAST_SECONDS or not may_probe(slug):
        return None
    try:
        verdict = client.is_alive(found, token, hint, within=within)
    except PlatformError as error:
        if error.code == "no_files":
            # The job is tried again: what the platform would have said is still to be had.
            raise
        if error.code != "not_asked":
            note_probe(slug, error)
        logger.warning("%s: a revoked token can't be verified (%s)", slug, error.code)
        return None
    note_probe(slug, None)
    return verdict
