"""Commits that don't wait for the disk: the tests' database need not outlive its server's crash."""

from django.db import connection


def commit_without_disk() -> None:
    """Have all sessions of the tests' database, those of other processes too, commit so."""
    if connection.vendor != "postgresql":
        return
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    # What holds for the database is asked for as a session begins.
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
