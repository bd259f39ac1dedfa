"""How fast the audit log is sealed and verified: `python -m bench.audit_log`.

By the processor time of this process: what PostgreSQL uses beside it is not counted.
"""

import argparse
import sys
import time
from collections.abc import Callable

import django
from django.core.management import call_command
from django.db import connection

from bench.environment import LackingError, prepared

EVENTS = 50_000
AIMS = {"seal": 15_000, "verify": 30_000}
FILL = """
INSERT INTO audit_auditevent (id, occurred_at, action, outcome, actor_type, actor_id, interface,
    subject_type, subject_id, subject_owner_id, reason, trace_id, client_address, details)
SELECT gen_random_uuid(), now(), 'provider_disconnected', 'success', 'user', gen_random_uuid(),
    'api', 'providers.connection', gen_random_uuid(), gen_random_uuid(), '', md5('bench'),
    '127.0.0.1', '{"platform": "bench", "credentials_erased": true, "revocation": "pending"}'
FROM generate_series(1, %s)
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.audit_log", description=__doc__)
    parser.add_argument("--database-url", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--redis-url", default="redis://127.0.0.1:6379/15")
    parser.add_argument("--events", type=int, default=EVENTS)
    options = parser.parse_args()
    try:
        with prepared(options.database_url, options.redis_url):
            django.setup()
            call_command("migrate", verbosity=0)
            for name, rate in measure(options.events).items():
                print(f"{name}: {rate:,.0f} events a second of processor, aim {AIMS[name]:,}")
    except LackingError as error:
        sys.exit(f"It can't be measured: {error}")


def measure(events: int) -> dict[str, float]:
    """Return how many events a second of processor time is enough for.

    Args:
        events: So many are sealed, and then verified.
    """
    from audit.seal import seal_all
    from audit.statements import known_keys
    from audit.verify import Verification

    with connection.cursor() as cursor:
        cursor.execute(FILL, [events])
        cursor.execute("ANALYZE audit_auditevent")
    seal = _rate(events, lambda: sum(each.size for each in seal_all()))
    reading = Verification(keys=known_keys())
    verify = _rate(events, lambda: _require_none(reading))
    return {"seal": seal, "verify": verify}


def _require_none(reading: object) -> int:
    found = list(reading.findings())  # type: ignore[attr-defined]
    if found:
        raise RuntimeError(f"{len(found)} findings in a log that nobody tampered with")
    return int(reading.events)  # type: ignore[attr-defined]


def _rate(events: int, work: Callable[[], int]) -> float:
    began = time.process_time()
    if (done := work()) < events:
        raise RuntimeError(f"{done} of {events} events")
    return events / (time.process_time() - began)


if __name__ == "__main__":
    main()
