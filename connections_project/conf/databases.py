"""How the database is spoken to: on SQLite, and on PostgreSQL through a pool."""

import os
from typing import Any

# Seconds that a request waits for a connection: to the server, or for one that others have.
CONNECT_SECONDS = 4
WAIT_SECONDS = 3.0


def described(
    database: dict[str, Any], *, pool_size: int, statement_seconds: int
) -> dict[str, Any]:
    """Complete Django's description of a database.

    Args:
        database: What its address says. Options of the address win.
        pool_size: Connections of this process at most; 0 for one a thread, which a pooler between
            (such as PgBouncer) then has to bound.
        statement_seconds: How long the server lets a statement run; 0 for any time.
    """
    if database["ENGINE"] == "django.db.backends.sqlite3":
        return database | {"OPTIONS": _sqlite()}
    database = database | {"ENGINE": "connections_project.core.postgresql"}
    # What the role's settings say of it, the driver can't read. libpq has no option for it but this
    # one, and sends it as a session begins; a pooler keeps to it.
    os.environ["PGDATESTYLE"] = "ISO"
    given = database.get("OPTIONS", {})
    # A connection that the server has dropped, as at its restart, is noticed before it is used; of
    # a pool's without a round trip, by core/postgresql.
    common = {"CONN_HEALTH_CHECKS": not pool_size, "OPTIONS": _postgresql() | given}
    if not pool_size:
        # Each transaction may get another session of the pooler's: no cursor outlives its own.
        return database | common | {"CONN_MAX_AGE": 60, "DISABLE_SERVER_SIDE_CURSORS": True}
    options = _postgresql() | _own_session(statement_seconds) | given | {"pool": _pool(pool_size)}
    return database | common | {"CONN_MAX_AGE": 0, "OPTIONS": options}


def _pool(size: int) -> dict[str, Any]:
    return {
        "min_size": 1,
        "max_size": size,
        "timeout": WAIT_SECONDS,
        # The pool's own patience grows up to minutes, and so would the time until all is well again
        # after an outage. Given up on, it tries anew for the next request.
        "reconnect_timeout": CONNECT_SECONDS,
    }


def _sqlite() -> dict[str, Any]:
    # What was answered is on the disk, also after a power cut: WAL with NORMAL may lose the last.
    # A write transaction that begins as a read would fail at its first write under concurrency.
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }


def _postgresql() -> dict[str, Any]:
    """Limit what a server that has gone can hold up (PostgreSQL, section 34.1.2)."""
    return {
        "connect_timeout": CONNECT_SECONDS,
        # A host that has vanished without a word is given up after ten seconds, not after minutes.
        "tcp_user_timeout": 10_000,
    }


def _own_session(statement_seconds: int) -> dict[str, Any]:
    """Return what a pooler between would refuse, or mix up with others' sessions."""
    return {
        # Limits of what one caller can hold up (PostgreSQL, section 20.11.1).
        "options": f"-c statement_timeout={statement_seconds}s"
        f" -c idle_in_transaction_session_timeout=60s",
        # A statement that comes for the fifth time is planned, and from then on only executed.
        "server_side_binding": True,
        "prepare_threshold": 5,
    }
