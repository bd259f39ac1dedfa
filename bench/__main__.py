"""`make bench`: how fast the service is, beside plain DRF views on the same server and run."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.environment import OURS, ROOT, Environment, Program, Size, serving
from bench.kept import written
from bench.part import add_servers, migrated

LANES = (1, 16)
# Each in a process and a database of its own: one fills a million rows, one changes the catalogue.
PARTS = ("instructions", "start", "drain", "counts", "audit_log", "beside_peers")
PLAIN_DRF = Program("plain DRF", "bench.wsgi:application", "bench.plain_drf.settings", "wsgi")
EXAMPLES = """
examples:
  make bench                                          ten minutes, for an impression
  make bench ARGS="--seconds 5 --rounds 9 --requests 100000 --bulk 200000"   to be quoted
  make bench ARGS="--only disconnect --requests 0"    one call, and no look at the memory
  make bench ARGS="--only bulk --bulk 200000"         100,000 at once, twice, beside plain SQL

It makes a database of its own beside the one that is named, and needs an empty Redis; both are
left as they were. Only loopback is used.
"""


def main() -> None:
    options = _options()
    kept: dict[str, Any] = {"settings": vars(options)}
    if not options.only or options.only not in PARTS:
        with migrated(options) as environment:
            kept |= _measure(environment, options)
    wanted = [part for part in PARTS if part.startswith(options.only)]
    kept["parts"] = {part: _part(part, options) for part in wanted}
    _say(f"Written to {written(kept)}.")


def _part(name: str, options: argparse.Namespace) -> Any:
    """Have a part measured in a process of its own, which prints its results; give them."""
    with tempfile.NamedTemporaryFile() as file:
        command = (
            *(sys.executable, "-m", f"bench.{name}", "--json", file.name),
            *("--database-url", options.database_url, "--redis-url", options.redis_url),
        )
        done = subprocess.run(command, cwd=ROOT, check=False)
        text = Path(file.name).read_text(encoding="utf-8")
    return json.loads(text) if not done.returncode and text else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_servers(parser)
    parser.add_argument("--seconds", type=float, default=1.5, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each call")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server")
    parser.add_argument("--threads", type=int, default=8, help="threads of each process")
    parser.add_argument("--disconnects", type=int, default=20_000, help="connections to end in all")
    parser.add_argument("--requests", type=int, default=20_000, help="while memory is looked at")
    parser.add_argument("--bulk", type=int, default=20_000, help="connections to end at once")
    words = f"disconnect, get, list, login, bulk, {', '.join(PARTS)}"
    parser.add_argument("--only", default="", help=words)
    return parser.parse_args()


def _measure(environment: Environment, options: argparse.Namespace) -> dict[str, Any]:
    # Models can be imported once Django is set up.
    from bench import report

    kept: dict[str, Any] = {}
    if not "bulk".startswith(options.only) or not options.only:
        kept |= _calls(environment, options)
        _say(report.table(kept["calls"]))
        if kept["memory"]:
            _say(report.words_about_memory(kept["memory"]))
    if "bulk".startswith(options.only) and options.bulk:
        kept |= _bulk(environment, options)
        _say(report.words_about_bulk(kept["bulk"]))
    return kept


def _calls(environment: Environment, options: argparse.Namespace) -> dict[str, Any]:
    from bench import report
    from bench.cases import cases
    from bench.compare import Pair
    from bench.limit import limits
    from bench.memory import memory

    wanted = [
        case
        for case in cases(disconnects=options.disconnects)
        if case.name.startswith(options.only)
    ]
    size = Size(options.workers, options.threads)
    with serving(environment, OURS, size) as ours, serving(environment, PLAIN_DRF, size) as plain:
        pair = Pair(environment, ours, plain, rounds=options.rounds, seconds=options.seconds)
        found = [
            pair.compared(case, lanes=lanes)
            for case in wanted
            for lanes in LANES
            # So many logins at once are refused, which is how it should be.
            if case.name != "login" or lanes == 1
        ]
        repeatable = [case for case in wanted if case.name in {"get", "list of 50"}]
        samples = (
            memory(repeatable, environment=environment, server=ours, requests=options.requests)
            if repeatable and options.requests
            else []
        )
    has_disconnect = any(case.name == "disconnect" for case in wanted)
    at_most = limits(environment, lanes=LANES, rows=4000) if has_disconnect else {}
    return {"calls": [report.described(one, at_most) for one in found], "memory": samples}


def _bulk(environment: Environment, options: argparse.Namespace) -> dict[str, Any]:
    from bench.bulk import race

    return {"bulk": race(environment, connections=options.bulk)}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
