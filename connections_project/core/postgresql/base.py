"""The backend that `connections_project/conf/databases.py` names.

During a failover a session may outlive the moment at which its server ceased to be the primary.
What it then refuses (SQLSTATE 25006) is no defect of the statement: it becomes OperationalError, as
of a server that is away, and no session from before that moment is used again.

Rows that are written in bulk are written by as many statements as their parameters need.
"""

import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError
from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg import IsolationLevel

from connections_project.core import storable
from connections_project.core.clock import database_clock
from connections_project.core.database import LOCK_TIMEOUT
from connections_project.core.postgresql.pooler import PoolerConnection
from connections_project.core.postgresql.silence import (
    Connection,
    LostSessionError,
    SilentServerError,
)

logger = logging.getLogger(__name__)

# The sessions that these tell of are over, or as good as that. The driver counts them by their
# class, 25, among the errors that a program makes (PostgreSQL, appendix A).
SESSION_IS_LOST = (
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
    SilentServerError,
    LostSessionError,
)
# Many requests notice one failover. A pool is emptied by the first of them.
DRAIN_SECONDS = 1.0
# Of one statement: the protocol's message Bind counts them in 16 bits.
MOST_PARAMETERS = 65535
# An update in bulk looks for each row among all of the statement's.
MOST_ROWS = 1000


class _Errors(DatabaseErrorWrapper):
    wrapper: "DatabaseWrapper"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, psycopg.errors.DiskFull):
            storable.memory.refuse()
        if isinstance(error, SESSION_IS_LOST):
            self.wrapper.drop_sessions()
            raise OperationalError(*error.args).with_traceback(traceback) from error
        super().__exit__(kind, error, traceback)


class _SchemaEditor(DatabaseSchemaEditor):
    """Changes tables, and lets nobody queue for long behind its own wait for a lock.

    What builds an index concurrently is no transaction: it holds up nobody, and broken off it would
    leave an invalid index.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration:
            self.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        return self


class _Operations(DatabaseOperations):
    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        """Return how many rows one statement takes, where the server binds the parameters.

        Django's own says all of them; more than fit fail as if the server were away. An update in
        bulk has nearly two for each of the fields: it names the row again beside each value.
        """
        fitting = MOST_PARAMETERS // (2 * max(1, len(fields)))
        return max(1, min(len(objs), fitting, MOST_ROWS))


def _is_alive(session: Connection) -> bool:
    try:
        return session.is_alive()
    except psycopg.Error:
        return False


def _read_clock(session: Connection) -> None:
    if not database_clock.is_due():
        return
    try:
        [(epoch,)] = session.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        database_clock.set(epoch)
    finally:
        # Also after an error: Django's first step would fail on it, as if by a defect.
        if not session.closed:
            session.rollback()


class DatabaseWrapper(base.DatabaseWrapper):
    """Drop sessions that have become useless, all of this process, so that new ones are made."""

    SchemaEditorClass = _SchemaEditor
    ops_class = _Operations
    # When the last session was found useless, in seconds of the monotonic clock.
    _distrusted_at = 0.0
    # When this session was made; one that is not there is none of the old ones.
    _connected_at = float("inf")

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _Errors(self)

    def __init__(self, settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> None:
        super().__init__(settings_dict, alias)
        if pool := self.settings_dict["OPTIONS"].get("pool"):
            pool["connection_class"] = Connection

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._connected_at = time.monotonic()
        if self.pool:
            session = self._pooled(conn_params)
        else:
            self.isolation_level = IsolationLevel.READ_COMMITTED
            session = PoolerConnection.connect(**conn_params)
        self._read_clock(session)
        return session

    def _read_clock(self, session: Connection) -> None:
        """Read the clock where that is due; what a session fails at otherwise comes up later.

        Raises:
            SilentServerError, LostSessionError: The session goes with all others.
        """
        try:
            _read_clock(session)
        except (SilentServerError, LostSessionError):
            self.connection = session
            raise
        except psycopg.Error as error:
            logger.warning("The database's clock can't be read (%s)", type(error).__name__)

    def _pooled(self, conn_params: dict[str, Any]) -> Any:
        """Return a session of the pool's that goes on.

        The pool's own check waits for a second after its second dead session, and twice as long
        after each further one (psycopg_pool 3.2.1): longer than a request waits for a session.
        """
        found = super().get_new_connection(conn_params)
        for _ in range(self.pool.max_size):
            if _is_alive(found):
                break
            # Where one was ended, all were, mostly.
            found.close()
            self.pool.putconn(found)
            self._distrust_sessions()
            found = super().get_new_connection(conn_params)
        return found

    def drop_sessions(self) -> None:
        """Close this session, and have the others closed before they are used again."""
        if self.connection is not None:
            # A pool would keep what it gets back alive.
            self.connection.close()
        self.close()
        self._distrust_sessions()

    def _distrust_sessions(self) -> None:
        distrusted_at, now = DatabaseWrapper._distrusted_at, time.monotonic()
        if now - distrusted_at > DRAIN_SECONDS:
            DatabaseWrapper._distrusted_at = now
            if self.pool:
                self.pool.drain()

    def close_if_health_check_failed(self) -> None:
        """Close a session that is over; another one is made in its place.

        Raises:
            OperationalError: The server answers nobody. Another session would wait for it anew.
        """
        session = self.connection
        super().close_if_health_check_failed()
        if session is not None and session.is_lost:
            self._distrust_sessions()
        if session is not None and session.is_given_up:
            with self.wrap_database_errors:
                raise SilentServerError("the server has stopped answering")

    def close_if_unusable_or_obsolete(self) -> None:
        if not self.in_atomic_block and self._connected_at < DatabaseWrapper._distrusted_at:
            self.close()
        if self.settings_dict["CONN_HEALTH_CHECKS"]:
            # The check before a session is used finds what an error has left; one more here would
            # wait for a silent server twice.
            self.errors_occurred = False
        super().close_if_unusable_or_obsolete()
        # Without a pool sessions are kept, and the clock is read as one is made: not here, where a
        # request begins that may need no database, and the server may be away.
        if not self.in_atomic_block and database_clock.has_run_out():
            self.close()
