"""Jobs put into the database directly, at platforms of a server's own."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.core.vault import seal
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import RevocationJob


def make_jobs(platform: str, *tokens: str, ago: float = 1.0, **columns: Any) -> list[RevocationJob]:
    """Store a revocation job for each of so many tokens.

    Args:
        platform: Its slug.
        tokens: Refresh tokens, one a job.
        ago: Seconds that they have been due; the later ones a moment less.
        columns: What differs from a job that was just made.
    """
    began = timezone.now() - timedelta(seconds=ago)
    times = [began + timedelta(milliseconds=number) for number in range(len(tokens))]
    return RevocationJob.objects.bulk_create(
        [_job(platform, token, at, columns) for token, at in zip(tokens, times, strict=True)]
    )


def _job(platform: str, token: str, at: Any, columns: dict[str, Any]) -> RevocationJob:
    connection_id = uuid7()
    sealed = seal(
        TokenSet("access", refresh_token=token).as_payload(), subject=f"connection:{connection_id}"
    )
    return RevocationJob(
        **{
            "app": "providers",
            "platform": platform,
            "connection_id": connection_id,
            "owner_id": uuid7(),
            "sealed_tokens": sealed,
            "created_at": at,
            "due_at": at,
            "trace_id": "0" * 31 + "1",
            **columns,
        }
    )
