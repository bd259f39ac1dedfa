"""What an operator should know of a connection before anything else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from connections_project.connections.models import OAuthConnection
from connections_project.core import clock
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import has_credentials, upstream
from connections_project.revocation.models import JobState, RevocationJob, Verification
from connections_project.revocation.release import can_revoke

ENDS_SOON = timedelta(hours=24)
DEAD = {
    "expired": "The platform refuses to refresh its tokens. The user has to connect again.",
    "revoked": "The user took the access back at the platform. The user has to connect again.",
    "error": "The platform says that the access was taken back. The user has to connect again.",
    "failed": "Connecting it failed. The user has to try again.",
    "pending": "The platform has sent the user back, and the connection is being made.",
}


@dataclass(frozen=True)
class Hint:
    """A problem, and what to do about it. An urgent one needs somebody now."""

    text: str
    is_urgent: bool = False


def hints(connection: OAuthConnection, jobs: list[RevocationJob]) -> list[Hint]:
    """Return what stands out, the urgent first.

    Args:
        jobs: Its revocation jobs, newest first.
    """
    found = [*_of_row(connection), *_of_platform(connection), *_of_jobs(jobs)]
    return sorted(found, key=lambda hint: not hint.is_urgent)


def _of_row(connection: OAuthConnection) -> Iterator[Hint]:
    status = getattr(connection, "status", "")
    if status in DEAD:
        yield Hint(DEAD[status])
    if connection.disconnected_at is not None:
        return
    ends_at = connection.grant_expires_at
    if ends_at is not None and ends_at <= clock.now() + ENDS_SOON:
        yield Hint("The grant ends within a day. The user has to connect again to keep it.")
    owner = getattr(connection, "user", None)
    if owner is not None and not owner.is_active:
        yield Hint("Its owner is deactivated, and it is still connected: disconnect it.", True)


def _of_platform(connection: OAuthConnection) -> Iterator[Hint]:
    found = upstream(connection.platform_slug)
    if found is None:
        yield Hint("Its platform has left the catalogue: it can only be disconnected.")
        return
    name = found.platform.name
    suspension = Suspension.objects.filter(pk=found.platform.slug).first()
    if suspension is not None:
        yield Hint(f"{name} is suspended: {suspension.reason}", True)
    if not has_credentials(found):
        yield Hint(f"No client credentials are configured for {name}: nothing can be sent to it.")
    if not can_revoke(found):
        where = f" at {found.platform.help_url}" if found.platform.help_url else ""
        yield Hint(f"{name} has no usable revocation: the user removes the app by hand{where}.")


def _of_jobs(jobs: list[RevocationJob]) -> Iterator[Hint]:
    for job in jobs:
        if job.state == JobState.ABANDONED and job.extras_only:
            yield Hint(
                "What came beside the tokens, such as a webhook, may still be good: the user "
                "should remove it at the platform by hand.",
                True,
            )
        elif job.state == JobState.ABANDONED:
            yield Hint(
                "Telling the platform was given up: the user should remove the app there by hand.",
                True,
            )
        elif job.verification == Verification.STILL_ALIVE:
            yield Hint(
                "The platform has accepted the revocation, and a token is still good: it is sent "
                "again. Meanwhile the user can remove the app there by hand.",
                True,
            )
        elif job.last_error == "invalid_client" and job.state == JobState.PENDING:
            yield Hint("The platform refuses our client credentials: correct them.", True)
        elif job.state == JobState.PENDING and job.attempts:
            tries = f"{job.attempts} tries" if job.attempts > 1 else "one try"
            yield Hint(
                f"The tokens are not revoked at the platform yet, after {tries} ({job.last_error})."
            )
