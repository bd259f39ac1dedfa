"""Django's migrate, able to start where the audit log's triggers are gone, and patient.

Who waits for a table's lock has everybody wait who comes after. So a migration waits for seconds
(`core/postgresql`), is rolled back, and is tried again.
"""

import time
from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.migrations import Migration

from audit.triggers import install
from connections_project.core.database import is_lock_timeout

# Those whose locks last are older than any wait for one; of another role's nothing else is told.
_OLD = """
    SELECT pid, coalesce(nullif(application_name, ''), usename) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type IS NOT DISTINCT FROM 'client backend'
    AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '2 seconds'
    ORDER BY xact_start LIMIT 5
"""
# Seconds between the tries, of nearly six minutes.
PAUSES = (1, 2, 5, 10, 20, 30, 30, 60, 60, 60, 60)


class Command(migrate.Command):
    _under_way: Migration | None = None

    def check(self, *args: Any, **options: Any) -> None:
        """Install missing triggers first: audit.E001 would refuse this very command."""
        for alias in options["databases"]:
            if missing := install(connections[alias]):
                self.stderr.write(f"Audit log of {alias!r}: put back {', '.join(missing)}.")
        super().check(*args, **options)

    def migration_progress_callback(
        self, action: str, migration: Any | None = None, fake: bool = False
    ) -> None:
        self._under_way = migration or self._under_way
        super().migration_progress_callback(action, migration, fake)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, again and again where others hold the locks that it needs.

        Raises:
            CommandError: They have held them for minutes.
        """
        for pause in (*PAUSES, None):
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                if not is_lock_timeout(error):
                    raise
                held_up = self._held_up_by(options["database"])
                if pause is None:
                    given_up = f"{held_up}, for minutes. What is committed stays; run it again."
                    raise CommandError(given_up) from None
                self.stderr.write(f"{held_up}; again in {pause} s.")
                time.sleep(pause)
            else:
                return

    def _held_up_by(self, alias: str) -> str:
        with connections[alias].cursor() as cursor:
            cursor.execute(_OLD)
            who = ", ".join(f"process {pid} ({name})" for pid, name in cursor.fetchall())
        return f"{self._under_way or 'migrate'} waits for a lock, held up by {who or 'others'}"
