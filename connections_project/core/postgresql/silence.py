"""A client-side limit for sessions that fall silent.

A server that is frozen, or stopped, has a kernel that goes on acknowledging what it receives. One
whose address, or whose proxy's back end, has moved to another host leaves its sessions open behind,
while new ones are served by the other. Neither TCP's keepalives nor `tcp_user_timeout` notice
either, and the server's own timeouts don't run. A statement that merely takes long must not be cut
off; so after a silence a new caller looks whether the server answers, and is at work for this one.
"""

import select
import time
from collections.abc import Generator
from contextlib import closing
from math import ceil
from typing import Any, Self

import psycopg

from connections_project.core.postgresql.looks import (
    ANSWER_SECONDS,
    Activity,
    accepts_callers,
    activity_seen_by,
    one_look,
)
from connections_project.core.postgresql.outage import outage

# Together with the wait for a connection less than ten seconds (conf/databases.py).
SILENCE_SECONDS = 2.0


class SilentServerError(psycopg.OperationalError):
    """The server answers nobody."""


class LostSessionError(psycopg.OperationalError):
    """The server answers others, and knows nothing of the session's statement."""


class Connection(psycopg.Connection[Any]):
    """A connection that gives up on a server that has stopped answering, it or anybody."""

    silence_seconds = SILENCE_SECONDS
    is_given_up = False
    is_lost = False
    _parameters: dict[str, Any]

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect, keep by what a new caller can do the same, and note where that fails."""
        try:
            made = super().connect(*args, **kwargs)
        except psycopg.OperationalError:
            outage.not_connected()
            raise
        outage.connected(made)
        made._parameters = kwargs
        return made

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Run a protocol exchange.

        Raises:
            SilentServerError: Nothing came for `silence_seconds`, and nobody else gets an answer.
            LostSessionError: Others do, and twice in a row the server was at work for them alone.
        """
        try:
            return super().wait(_while_alive(gen, self), *args, **kwargs)
        except (SilentServerError, LostSessionError) as error:
            # By itself the driver would wait for the end of the statement.
            self.close()
            self._note(error)
            raise

    def _note(self, error: psycopg.OperationalError) -> None:
        if isinstance(error, LostSessionError):
            self.is_lost = True
        else:
            self.is_given_up = True
            outage.begins()

    def look(self) -> Activity | None:
        """Return what a new caller sees; None if it gets no session, as where all are taken.

        Raises:
            SilentServerError: It gets no answer.
        """
        if not accepts_callers(self.info):
            raise SilentServerError("the server has stopped answering")
        return one_look.seen(lambda: self.seen_by_a_caller(ANSWER_SECONDS))

    def seen_by_a_caller(self, within: float) -> Activity | None:
        """Return what a new session sees; None if there is none, or no answer, within seconds."""
        # Of several addresses, the one that this session has.
        place = {"host": self.info.host, "hostaddr": self.info.hostaddr, "port": self.info.port}
        # The driver takes whole seconds, and two at least.
        how = {"connect_timeout": max(ceil(within), 1), "autocommit": True}
        ends_at = time.monotonic() + within
        try:
            with closing(_Caller.connect(**self._parameters | place | how)) as caller:
                caller.silence_seconds = ends_at - time.monotonic()
                return activity_seen_by(caller)
        except psycopg.Error:
            return None

    def is_alive(self) -> bool:
        """Whether the session goes on, as far as is known here.

        A server that ends one says so and closes it, which the next look at the socket shows. Only
        where something came unasked is the session asked whether it answers: no look costs a round
        trip.
        """
        if not _has_come(self.fileno()):
            return True
        try:
            self.execute("")
        except psycopg.OperationalError:
            return False
        return True


class _Caller(Connection):
    """A new caller's session, for one statement."""

    def look(self) -> Activity | None:
        """Ask nobody else.

        Raises:
            LostSessionError: Always.
        """
        raise LostSessionError("a new session gets no answer")


def _has_come(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _while_alive(gen: Generator[Any, Any, Any], connection: Connection) -> Generator[Any, Any, Any]:
    """Pass on what is ready; the driver says several times a second that nothing is."""
    silence = _Silence(connection)
    try:
        wanted = next(gen)
        while True:
            if ready := (yield wanted):
                silence = _Silence(connection)
            else:
                silence.goes_on()
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


class _Silence:
    """A time in which nothing comes from the server, and what is found out meanwhile."""

    def __init__(self, session: Connection) -> None:
        self._session = session
        self._asked_at = time.monotonic()
        # By then the server is at work, also where a pooler has let the statement wait: whoever
        # comes to it later is served later.
        self._at_work_since = float("inf")
        self._is_missing = False

    def goes_on(self) -> None:
        """Have a new caller look, if it is time.

        Raises:
            SilentServerError, LostSessionError: As of `Connection.wait`.
        """
        asked_at = time.monotonic()
        if asked_at - self._asked_at > self._session.silence_seconds:
            if seen := self._session.look():
                self._compare(seen, max(0.0, asked_at - self._at_work_since))
            self._asked_at = time.monotonic()
            self._at_work_since = min(self._at_work_since, self._asked_at)

    def _compare(self, seen: Activity, at_work: float) -> None:
        was_missing = self._is_missing
        self._is_missing = not seen.may_include(self._session.info.backend_pid, at_work)
        # Once may be the moment between the statement's end and its result's arrival.
        if was_missing and self._is_missing:
            raise LostSessionError("the server knows nothing of the session's statement")
