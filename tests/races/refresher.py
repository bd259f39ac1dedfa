"""A process that refreshes one connection as soon as it is told to, and says how that ended.

python -m tests.races.refresher CONNECTION_ID: writes "ready", waits for a line, writes the result.
"""

import sys
from uuid import UUID

import django


def main(connection_id: str) -> None:
    django.setup()
    from audit.events import ActorType, Interface
    from audit.record import Origin
    from connections_project.connections.errors import ConnectionProblem
    from providers.models import Connection
    from providers.refresh import RULES, refresh_own

    row = Connection.objects.select_related("user").get(pk=UUID(connection_id))
    assert row.status in RULES.refreshable
    origin = Origin(ActorType.USER, row.user_id, Interface.WORKER)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        refreshed, _ = refresh_own(connection_id=row.pk, user=row.user, force=True, origin=origin)
    except ConnectionProblem as problem:
        sys.stdout.write(f"{problem.code}\n")
    else:
        sys.stdout.write(f"{refreshed.token_expires_at}\n")


if __name__ == "__main__":
    main(sys.argv[1])
