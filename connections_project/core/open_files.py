"""How many files a process may have open; each connection is one.

granian's loop that accepts connections spins where no file is left, and recovers no more: it must
never get there. So `--backpressure`, how many connections a process takes, has to fit.
"""

import resource
import sys
from pathlib import Path

from connections_project.core.logs import fatal

ENOUGH = 65_536
# Modules, logs, metrics, listening and event loop, and the threads of the probes.
BESIDES = 128
# A database's, Redis's and two platforms' connections, a file, and a pipe that an answer goes by.
OF_EACH_THREAD = 8


def allow_open_files(threads: int = 0, *, log_format: str = "console") -> None:
    """Allow this process as many as the system lets it: often 1,024 until it asks for more.

    Args:
        threads: How many requests it answers at a time.
        log_format: "console" or "json".

    Raises:
        SystemExit: They would not do for the connections that granian takes.
    """
    connections, others = connections_taken(), BESIDES + OF_EACH_THREAD * threads
    advice = (
        f"{connections} for connections and {others} besides. Allow it more (ulimit -n), or "
        "have granian take fewer connections (--backpressure or GRANIAN_BACKPRESSURE)."
    )
    _allow(connections + others, advice, log_format, must=bool(connections))


def allow_open_files_of_worker(threads: int, *, log_format: str) -> None:
    """Allow a process that works in the background as many as its threads need.

    Raises:
        SystemExit: It may have fewer: then the platforms would be taken to be away.
    """
    advice = f"{threads} threads. Allow it more (ulimit -n), or take fewer (REVOCATION_THREADS)."
    _allow(BESIDES + OF_EACH_THREAD * threads, advice, log_format, must=True)


def _allow(needed: int, advice: str, log_format: str, *, must: bool) -> None:
    allowed = _raised(max(ENOUGH, needed))
    if must and allowed < needed:
        message = f"Open files: this process may have {allowed}, and needs {needed}: {advice}"
        sys.exit(fatal(message, log_format=log_format))


def connections_taken() -> int:
    """Return how many connections granian takes in this process; 0 where another server runs it."""
    program = Path(sys.argv[0])
    if "granian" not in {program.stem, program.parent.name}:
        return 0
    from granian.cli import cli  # Only here is it known to be installed.

    options = cli.make_context(
        program.name, sys.argv[1:], auto_envvar_prefix="GRANIAN", resilient_parsing=True
    ).params
    # As granian.server.common has it.
    return int(options["backpressure"] or options["backlog"] // options["workers"])


def _raised(wanted: int) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return wanted if soft == resource.RLIM_INFINITY else soft
