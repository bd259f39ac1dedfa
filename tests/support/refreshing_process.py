"""A process that refreshes one connection as soon as it is told to, and says how that ended.

python -m tests.support.refreshing_process CONNECTION_ID

Writes "ready", waits for a line, writes the result.
"""

import sys
from uuid import UUID

import django


def main(connection_id: str) -> None:
    django.setup()
    from audit.events import ActorType, Interface
    from audit.record import Origin
    from connections_project.connections.errors import ConnectionProblem
    from connections_project.connections.refresh import refreshed_for_use
    from providers.models import Connection

    # Read before the start, so that whoever comes late still comes for the same refresh.
    row = Connection.objects.get(pk=UUID(connection_id))
    origin = Origin(ActorType.USER, row.user_id, Interface.WORKER)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        result: object = refreshed_for_use(row, origin=origin, force=True).token_expires_at
    except ConnectionProblem as problem:
        result = problem.code
    sys.stdout.write(f"{result}\n")


if __name__ == "__main__":
    main(sys.argv[1])
