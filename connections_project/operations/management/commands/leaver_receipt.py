"""`manage.py leaver_receipt`: proof of what ended with somebody who left."""

import json as jsonlib
from typing import Any

import jwt
from django.core.management.base import CommandError, CommandParser

from audit.arguments import person
from connections_project.core.commands.base import CommandWithExamples
from connections_project.operations.leaver_receipt import NotALeaverError, issue_leaver_receipt


class Command(CommandWithExamples):
    help = (
        "Issue the signed receipt of a user whose access has ended: what was disconnected, and "
        "what is still to be revoked at which platform. It verifies by the keys at "
        "/.well-known/jwks.json."
    )
    examples = """
examples:
  manage.py leaver_receipt kim@example.com > kim.jws
  manage.py leaver_receipt kim@example.com --json | jq .remaining
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="the user's address or id")
        parser.add_argument("--json", action="store_true", help="print what it claims instead")

    def handle(self, *, user: str, json: bool, **_: Any) -> None:
        found = person(user)
        try:
            receipt = issue_leaver_receipt(found)
        except NotALeaverError:
            raise CommandError(
                f"{user} has not left, or that is archived: the audit log says nothing of it here."
            ) from None
        claims = jwt.decode(receipt, options={"verify_signature": False})
        self.stdout.write(jsonlib.dumps(claims) if json else receipt)
