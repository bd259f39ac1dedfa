"""What is done with database connections while nothing is asked of the database."""

from django.db import connections


def release_connections() -> None:
    """Let others have this thread's connections to a server, as before a call outside.

    A platform that is slow to answer would otherwise keep all of a pool's connections busy. A file
    is nobody else's, so SQLite keeps it open.
    """
    for each in connections.all(initialized_only=True):
        if each.vendor != "sqlite" and not each.in_atomic_block:
            each.close()
