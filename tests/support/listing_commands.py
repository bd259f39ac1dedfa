"""What commands that list something print."""

import io
import json
from typing import Any

from django.core.management import call_command


def run(*words: str) -> str:
    """Run a command, and return its output."""
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def listed(*words: str) -> list[dict[str, Any]]:
    """Run a command with `--json`, and return what it lists."""
    return [json.loads(line) for line in run(*words, "--json").splitlines()]
