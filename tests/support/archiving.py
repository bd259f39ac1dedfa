"""The whole audit log moved into a file, as `archive_audit_log` does it."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from tests.support.audit_tampering import seal


def archive_everything(folder: Path) -> None:
    seal()
    given = ("--before", timezone.now().isoformat(), "--to", str(folder / "archive.jsonl"))
    call_command("archive_audit_log", *given, stdout=StringIO())
