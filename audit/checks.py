"""The system check that the audit log's triggers stand."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from audit.triggers import missing_triggers


@register(Tags.database)
def audit_log_is_append_only(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Find databases whose audit log could be changed (`check --database default`)."""
    return [
        Error(
            f"The audit log of database {alias!r} can be changed: {', '.join(missing)} is missing.",
            hint="`manage.py migrate` puts the triggers back. Find out who dropped them.",
            id="audit.E001",
        )
        for alias in databases or ()
        if (missing := missing_triggers(connections[alias]))
    ]
