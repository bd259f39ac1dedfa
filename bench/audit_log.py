"""How fast the audit log is sealed and verified: `python -m bench.audit_log`.

By the processor time of this process: what PostgreSQL uses beside it is not counted.
"""

import argparse
import logging
import time
from collections.abc import Callable, Sequence

from django.db import connection

from bench.environment import Environment
from bench.part import Result, part_parser, run

FILL = """
INSERT INTO audit_auditevent (id, occurred_at, action, outcome, actor_type, actor_id, interface,
    subject_type, subject_id, subject_owner_id, reason, trace_id, client_address, details)
SELECT gen_random_uuid(), now(), 'provider_disconnected', 'success', 'user', gen_random_uuid(),
    'api', 'providers.connection', gen_random_uuid(), gen_random_uuid(), '', md5('bench'),
    '127.0.0.1', '{"platform": "bench", "credentials_erased": true, "revocation": "pending"}'
FROM generate_series(1, %s)
"""


def main() -> None:
    parser = part_parser("audit_log", __doc__)
    parser.add_argument("--events", type=int, default=50_000)
    run(parser.parse_args(), measure)


def measure(_: Environment, options: argparse.Namespace) -> Sequence[Result]:
    """Return how many events a second of processor time is enough for."""
    from audit.seal import seal_all
    from audit.statements import known_keys
    from audit.verify import Verification

    logging.getLogger("audit").setLevel(logging.WARNING)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [options.events])
        cursor.execute("ANALYZE audit_auditevent")
    sealed = _rate(options.events, lambda: sum(each.size for each in seal_all()))
    reading = Verification(keys=known_keys())
    verified = _rate(options.events, lambda: _require_none(reading))
    unit = "events/s of processor"
    return [
        Result("seal the audit log", sealed, unit, least=15_000),
        Result("verify the audit log", verified, unit, least=30_000),
    ]


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
