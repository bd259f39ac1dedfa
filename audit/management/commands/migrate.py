"""Django's migrate, able to start where the audit log's triggers are gone."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from audit.triggers import install


class Command(migrate.Command):
    def check(self, *args: Any, databases: list[str], **options: Any) -> None:
        """Put missing triggers back first: audit.E001 would refuse the very command that mends it."""
        for alias in databases:
            if missing := install(connections[alias]):
                names = ", ".join(missing)
                self.stderr.write(
                    f"Put back on the audit log of {alias!r}: {names}. Who dropped it?"
                )
        super().check(*args, databases=databases, **options)
