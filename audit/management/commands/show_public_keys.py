"""`manage.py show_public_keys`: what others verify our signatures with."""

import json as jsonlib
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from audit.public_keys import as_text
from connections_project.core.commands.base import CommandWithExamples
from connections_project.core.signing import key_id, private_key


class Command(CommandWithExamples):
    help = (
        "Show the public halves of the keys that sign the audit log and receipts, for auditors, "
        "and for AUDIT_PUBLIC_KEYS and RECEIPT_PUBLIC_KEYS before a key is changed."
    )
    examples = """
examples:
  manage.py show_public_keys
  manage.py show_public_keys --json | jq -r .audit.public_key
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the keys as JSON")

    def handle(self, *, json: bool, **_: Any) -> None:
        keys = {
            "audit": private_key(settings.AUDIT_SIGNING_KEY).public_key(),
            "receipt": private_key(settings.RECEIPT_SIGNING_KEY).public_key(),
        }
        shown = {
            name: {"kid": key_id(key), "public_key": as_text(key)} for name, key in keys.items()
        }
        if json:
            self.stdout.write(jsonlib.dumps(shown))
            return
        for name, key in shown.items():
            self.stdout.write(f"{name}: {key['public_key']} (kid {key['kid']})")
