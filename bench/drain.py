"""How fast workers revoke what is due: `python -m bench.drain`.

A platform takes each revocation and answers after a while, always the same. The most that is
possible is its limit, of calls at a time over all workers, divided by that time. Beside it stands
the processor time that the workers use for a job, PostgreSQL's own not counted.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.environment import ROOT, Environment
from bench.part import Result, part_parser, run

SIZES = ("1x8", "2x8", "2x32")
LONGEST_SECONDS = 300.0


def main() -> None:
    parser = part_parser("drain", __doc__)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="workers x limit, as in 2x32")
    parser.add_argument("--seconds", type=float, default=10.0, help="of one measurement, at best")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds until the answer")
    run(parser.parse_args(), measure)


def measure(_: Environment, options: argparse.Namespace) -> Sequence[Result]:
    """Return, for each size, the part of what is possible, and the processor time of a job."""
    return [one for size in options.sizes for one in _of_size(options, size)]


def _of_size(options: argparse.Namespace, size: str) -> Sequence[Result]:
    workers, limit = map(int, size.split("x"))
    possible = limit / options.latency
    with _platform(options.latency) as port:
        _point_to(port)
        number = int(possible * options.seconds)
        _lay_out(number)
        reports = [
            process.communicate(timeout=LONGEST_SECONDS)[0]
            for process in [_worker(limit) for _ in range(workers)]
        ]
    spans = [tuple(map(float, report.split())) for report in reports]
    seconds = max(end for _, end, _ in spans) - min(start for start, _, _ in spans)
    _require_revoked()
    used = sum(used for *_, used in spans) * 1000 / number
    words = f"revocations, {workers} workers, {limit} calls at a time"
    return [
        Result(words, number / seconds / possible, "of the possible", least=0.8),
        Result(words, used, "ms of processor a job", most=4),
    ]


@contextmanager
def _platform(latency: float) -> Iterator[int]:
    """Run a platform in a process of its own, and give its port."""
    command = [sys.executable, "-m", "bench.slow_platform", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline()) if process.stdout else 0
    finally:
        process.terminate()
        process.wait()


def _point_to(port: int) -> None:
    table = f"""
[providers.bench]
name = "Bench"
authorization_endpoint = "http://127.0.0.1:{port}/authorize"
token_endpoint = "http://127.0.0.1:{port}/token"
[providers.bench.revocation]
kind = "rfc7009"
endpoint = "http://127.0.0.1:{port}/revoke"
tokens = ["refresh_token"]
"""
    Path(os.environ["OAUTH_CATALOG"]).write_text(table, encoding="utf-8")


def _lay_out(number: int) -> None:
    # Models can be imported once Django is set up.
    from django.utils import timezone

    from connections_project.core.ids import uuid7
    from connections_project.core.vault import seal
    from connections_project.oauth.client import TokenSet
    from connections_project.revocation.models import RevocationJob

    now = timezone.now()
    tokens = TokenSet("an-access-token-of-usual-length" * 2, refresh_token="a-refresh-token" * 3)
    jobs = []
    for _ in range(number):
        connection_id = uuid7()
        sealed = seal(tokens.as_payload(), subject=f"connection:{connection_id}")
        jobs.append(
            RevocationJob(
                app="providers",
                platform="bench",
                connection_id=connection_id,
                owner_id=uuid7(),
                sealed_tokens=sealed,
                created_at=now,
                due_at=now,
                trace_id="0" * 31 + "1",
            )
        )
    RevocationJob.objects.bulk_create(jobs, batch_size=1000)


def _worker(limit: int) -> "subprocess.Popen[str]":
    variables = os.environ | {
        "REVOCATION_THREADS": str(limit),
        "REVOCATION_PLATFORM_LIMIT": str(limit),
    }
    command = [sys.executable, "-m", "bench.drain_worker"]
    return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)


def _require_revoked() -> None:
    from connections_project.revocation.models import RevocationJob

    if left := RevocationJob.objects.exclude(state="revoked").count():
        raise RuntimeError(f"{left} jobs were not revoked")


if __name__ == "__main__":
    main()
