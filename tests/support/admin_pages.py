"""Texts and rows of the admin's pages."""

import re
from typing import Any

from django.test import Client
from django.utils import timezone

from connections_project.core.vault import seal
from connections_project.identity.models import User
from connections_project.operations.admin.force import AT_ONCE
from connections_project.revocation.models import JobState, RevocationJob
from providers.models import Connection
from tests.support.provider_rows import TOKENS


def text_of(client: Client, path: str, **query: str) -> str:
    text = re.sub(
        r"<(script|style).*?</\1>", " ", client.get(path, query).content.decode(), flags=re.S
    )
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def job_of(row: Any, state: str = "pending", **columns: Any) -> RevocationJob:
    now = timezone.now()
    given = {"created_at": now, "due_at": now, "connection_id": row.pk, "state": state, **columns}
    if state == JobState.PENDING:
        given["sealed_tokens"] = seal(TOKENS.as_payload(), subject=row.vault_subject)
    else:
        given["finished_at"] = now
    return RevocationJob.objects.create(
        app=row.app, platform=row.platform_slug, owner_id=row.responsible_id, **given
    )


PROVIDERS = "/admin/providers/connection/"


CHANNELS = "/admin/channels/channelconnection/"


def chosen(*rows: Any, **more: str) -> dict[str, Any]:
    return {
        "action": "force_disconnect_selected",
        "_selected_action": [str(row.pk) for row in rows],
        **more,
    }


def many(owner: User, number: int = AT_ONCE + 5) -> None:
    now = timezone.now()
    Connection.objects.bulk_create(
        Connection(
            user=owner, provider_slug="bank", status="failed", created_at=now, updated_at=now
        )
        for _ in range(number)
    )
