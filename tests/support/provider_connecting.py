"""Words that the tests of connecting share."""

from typing import Any

from rest_framework.test import APIClient

from audit.models import AuditEvent

PROVIDERS = "/api/v1/providers"
CALLBACK = "/api/v1/providers/callback"


def begin(api: APIClient, slug: Any = "bank", **body: Any) -> Any:
    """Try to start connecting, and give the answer."""
    return api.post(PROVIDERS, {"provider_slug": slug, **body}, format="json")


def problem(answer: Any) -> tuple[int, str]:
    """Return an answer's status and the slug of its problem type."""
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].rpartition("/")[2]


def wrong_fields(answer: Any) -> list[str]:
    """Return the names of the fields that a 400 complains about."""
    assert problem(answer) == (400, "validation_failed"), answer.content
    return [error["field"] for error in answer.json()["errors"]]


def events(action: str = "") -> list[AuditEvent]:
    """Return the audit log from its beginning, or only one action of it."""
    rows = AuditEvent.objects.order_by("id")
    return list(rows.filter(action=action) if action else rows)
