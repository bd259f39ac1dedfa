"""What the counts of once a minute cost in a large database: `python -m bench.counts`."""

import argparse
import time
from collections.abc import Sequence
from datetime import timedelta

from bench.environment import Environment
from bench.part import Result, part_parser, run


def main() -> None:
    parser = part_parser("counts", __doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of connections, and of jobs")
    run(parser.parse_args(), measure)


def measure(_: Environment, options: argparse.Namespace) -> Sequence[Result]:
    """Return the longest time that the counts have taken, but for the first one."""
    _lay_out(options.rows)
    # The first one opens the connection, and counts the days that are over.
    longest = max([_milliseconds() for _ in range(6)][1:])
    return [Result(f"counts of once a minute at {options.rows:,}", longest, "ms", most=50)]


def _lay_out(rows: int) -> None:
    """Make so many connections, of which half need attention, and jobs and questions for each."""
    # Models can be imported once Django is set up.
    from django.db import connection

    from bench import seed
    from bench.bulk import lay_out

    lay_out("counts", rows)
    seed.people("others", number=100, connections=10)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE providers_connection SET status = 'expired', attention_since = now(),"
            " attention_reason = 'grant_expired' WHERE id < '80000000-0000-0000-0000-000000000000'"
        )
        cursor.execute(
            "INSERT INTO revocation_revocationjob (id, app, platform, connection_id, owner_id,"
            " authority, client_id, state, last_error, created_at, due_at, finished_at, trace_id,"
            " attempts, accepted_tokens)"
            " SELECT gen_random_uuid(), 'providers', 'bench', id, user_id, authority, client_id,"
            " 'revoked', '', now(), now(), now(), md5('bench'), 1, '' FROM providers_connection"
        )
        cursor.execute(
            "INSERT INTO revocation_revocationjob (id, app, platform, connection_id, owner_id,"
            " authority, client_id, state, sealed_tokens, verification, last_error, created_at,"
            " due_at, trace_id, attempts, accepted_tokens)"
            " SELECT gen_random_uuid(), 'providers', 'bench', id, user_id, authority, client_id,"
            " 'pending', 'never opened', 'still_alive', '', now(), now() + interval '1 hour',"
            " md5('bench'), 1, '' FROM providers_connection"
        )
        # Their keys are of long ago.
        cursor.execute(
            "INSERT INTO revocation_openquestion (id, app, platform, connection_id, created_at,"
            " due_at, attempts)"
            " SELECT ('01800000' || substr(gen_random_uuid()::text, 9))::uuid, 'providers',"
            " 'bench', id, now() - interval '1 day', now(), 1 FROM providers_connection"
        )
        cursor.execute("ANALYZE")


def _milliseconds() -> float:
    from connections_project.metrics import tables

    began = time.perf_counter()
    tables.refresh(older_than=timedelta(0))
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
