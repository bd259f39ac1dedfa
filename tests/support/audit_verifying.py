"""`verify_audit_log`, and what it has found."""

import json
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command


def verify(*arguments: str) -> dict[str, Any]:
    """Run the command, and give its JSON together with its exit code and its last words."""
    output, errors = StringIO(), StringIO()
    code, words = 0, ""
    try:
        call_command("verify_audit_log", "--json", *arguments, stdout=output, stderr=errors)
    except CommandError as error:
        code, words = error.returncode, str(error)
    return {**json.loads(output.getvalue()), "code": code, "words": words}


def only_finding(*arguments: str) -> dict[str, Any]:
    """Expect exactly one thing to be wrong, and the exit code to say so."""
    result = verify("--all", *arguments)
    assert (result["ok"], result["code"]) == (False, 1)
    (finding,) = result["findings"]
    assert finding["words"] in result["words"]
    named: dict[str, Any] = finding
    return named


def named(finding: dict[str, Any]) -> tuple[str, str | None]:
    """Return what was done, and to which event; the words must name it too."""
    if finding["event_id"]:
        assert finding["event_id"] in finding["words"]
    return finding["kind"], finding["event_id"]
