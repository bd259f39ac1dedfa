"""What processes use before they have done anything: `python -m bench.start`."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

from bench.environment import ROOT, Environment
from bench.part import Result, part_parser, run

ROUNDS = 5
WEB_WORKER = "import connections_project.rsgi, connections_project.urls"
STARTS = {
    "start of manage.py help": (("manage.py", "help"), 1.0),
    "start of a web worker": (("-W", "ignore", "-c", WEB_WORKER), 1.2),
}


def main() -> None:
    run(part_parser("start", __doc__).parse_args(), measure)


def measure(_: Environment, __: argparse.Namespace) -> Sequence[Result]:
    """Return the processor seconds of each start, the median of some."""
    return [
        Result(what, median(_seconds(command) for _ in range(ROUNDS)), "s of processor", most=aim)
        for what, (command, aim) in STARTS.items()
    ]


def _seconds(command: Sequence[str]) -> float:
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
