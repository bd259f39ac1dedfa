"""What the counts of once a minute cost in a large database: `python -m bench.counts`."""

import argparse
import sys
import time
from datetime import timedelta

import django
from django.core.management import call_command

from bench.environment import LackingError, prepared


def main() -> None:
    options = _options()
    try:
        with prepared(options.database_url, options.redis_url):
            django.setup()
            call_command("migrate", verbosity=0)
            _lay_out(options.rows)
            _measure(options.rows)
    except LackingError as error:
        sys.exit(f"It can't be measured: {error}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.counts", description=__doc__)
    parser.add_argument("--database-url", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--redis-url", default="redis://127.0.0.1:6379/15")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of connections, and of jobs")
    return parser.parse_args()


def _lay_out(rows: int) -> None:
    """Make so many connections, and as many jobs that have ended."""
    # Models can be imported once Django is set up.
    from django.db import connection

    from bench import seed
    from bench.bulk import lay_out

    lay_out("counts", rows)
    seed.people("others", number=100, connections=10)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO revocation_revocationjob (id, app, platform, connection_id, owner_id,"
            " authority, client_id, state, last_error, created_at, due_at, finished_at, trace_id,"
            " attempts, accepted_tokens)"
            " SELECT gen_random_uuid(), 'providers', 'bench', id, user_id, authority, client_id,"
            " 'revoked', '', now(), now(), now(), md5('bench'), 1, '' FROM providers_connection"
        )
        cursor.execute("ANALYZE")


def _measure(rows: int) -> None:
    from connections_project.metrics import counters, tables

    took = []
    for _ in range(6):
        began = time.perf_counter()
        tables.refresh(older_than=timedelta(0))
        took.append((time.perf_counter() - began) * 1000)
    # The first one opens the connection, and counts the days that are over.
    print(f"{rows} connections, {rows} ended jobs: {max(took[1:]):.1f} ms at most (aim: 50)")
    print({name: by_status for name, by_status in counters.counts().items() if by_status})


if __name__ == "__main__":
    main()
