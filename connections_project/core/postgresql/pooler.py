"""Sessions through a pooler, such as PgBouncer, in front of a server that may fall silent.

A pooler lets callers in by itself, and keeps them waiting while its server is silent. Only the
answer to a statement tells of the server.
"""

import time

from connections_project.core.postgresql.looks import Activity, one_look
from connections_project.core.postgresql.silence import Connection, SilentServerError

# A pooler whose sessions are all busy for a moment keeps a new caller waiting, too. Together with
# SILENCE_SECONDS less than ten seconds.
SERVED_WITHIN = 5.0
# Until a caller who was refused comes again.
RETRY_AFTER = 0.5


class PoolerConnection(Connection):
    """A connection that gives up on a pooler's server that has stopped answering."""

    def look(self) -> Activity:
        """Return what a new caller sees; the whole process asks once.

        Raises:
            SilentServerError: The caller's statement isn't answered in time.
        """
        if (seen := one_look.seen(self._seen_in_time)) is None:
            raise SilentServerError("the server has stopped answering")
        return seen

    def _seen_in_time(self) -> Activity | None:
        ends_at = time.monotonic() + SERVED_WITHIN
        while (seen := self.seen_by_a_caller(ends_at - time.monotonic())) is None:
            # Also a pooler that has no place for another caller refuses, and so does one that has
            # given its server up.
            if time.monotonic() + RETRY_AFTER >= ends_at:
                return None
            time.sleep(RETRY_AFTER)
        return seen
