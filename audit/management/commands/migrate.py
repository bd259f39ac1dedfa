"""Django's migrate, able to start where the audit log's triggers are gone."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from audit.triggers import install


class Command(migrate.Command):
    def check(self, *args: Any, **options: Any) -> None:
        """Install missing triggers first: audit.E001 would refuse this very command."""
        for alias in options["databases"]:
            if missing := install(connections[alias]):
                self.stderr.write(f"Audit log of {alias!r}: put back {', '.join(missing)}.")
        super().check(*args, **options)
