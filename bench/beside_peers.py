"""How fast a disconnect is beside two libraries that do less: `python -m bench.beside_peers`.

social-app-django and django-allauth headless, set up as their documents say (bench/peers/), delete
a row of a session's user: no revocation at the platform, audit log, rate limit or answer for a
program (social-app-django). All are measured in turns, on the same server with the same numbers of
processes and threads.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from urllib.parse import urlsplit

import psycopg

from bench.environment import OURS, ROOT, Environment, Program, Server, Size, serving
from bench.load import Outcome
from bench.load import run as load
from bench.part import Result, part_parser, run

PEERS = ROOT / "bench" / "peers"
PYTHON = PEERS / ".venv" / "bin" / "python"
LANES = 16
Requests = Iterator[bytes]


@dataclass(frozen=True)
class Site:
    """A running server and what it is asked, by the call's name."""

    server: Server
    requests: Mapping[str, Requests]


def main() -> None:
    parser = part_parser("beside_peers", __doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each call")
    parser.add_argument("--people", type=int, default=150, help="of each, with 50 accounts each")
    run(parser.parse_args(), measure)


def measure(environment: Environment, options: argparse.Namespace) -> Sequence[Result]:
    """Return requests and processor time of each site, and ours beside each of the others'."""
    from bench.cases import cases

    ours = {case.name.split()[0]: case.requests() for case in cases(disconnects=6000)}
    _require_packages()
    with ExitStack() as stack:
        server = stack.enter_context(serving(environment, OURS, Size(2, 8)))
        sites = {"ours": Site(server, ours)}
        for name in ("allauth", "social"):
            sites[name] = stack.enter_context(_peer(environment, name, options.people))
        return [
            result
            for call in ("disconnect", "list")
            for result in _compared(environment, sites, call, options)
        ]


def _require_packages() -> None:
    """Install what the peers need in an environment of their own, once."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", PYTHON.parents[1]], check=True)
        install = (PYTHON, "-m", "pip", "install", "--quiet", "-r", PEERS / "requirements.txt")
        subprocess.run(install, check=True)


@contextmanager
def _peer(environment: Environment, name: str, people: int) -> Iterator[Site]:
    """Serve a peer from a database of its own."""
    url = urlsplit(environment.database_url)
    database = f"{url.path.removeprefix('/')}_{name}"
    variables = {
        "DJANGO_SETTINGS_MODULE": f"bench.peers.{name}_site",
        "DATABASE_URL": url._replace(path=f"/{database}").geturl(),
    }
    with psycopg.connect(environment.database_url, autocommit=True) as administrator:
        administrator.execute(f'CREATE DATABASE "{database}"'.encode())
        try:
            fill = (str(PYTHON), "-m", "bench.peers.fill", str(people))
            made = subprocess.run(
                fill, cwd=ROOT, env=os.environ | variables, stdout=subprocess.PIPE, check=True
            )
            requests = {
                call: iter([one.encode() for one in several])
                if call == "disconnect"
                # Reading can be repeated.
                else cycle([one.encode() for one in several])
                for call, several in json.loads(made.stdout).items()
                if several
            }
            program = Program(
                name,
                "bench.wsgi:application",
                variables["DJANGO_SETTINGS_MODULE"],
                "wsgi",
                python=str(PYTHON),
                variables=variables,
            )
            with serving(environment, program, Size(2, 8)) as server:
                yield Site(server, requests)
        finally:
            administrator.execute(f'DROP DATABASE "{database}" WITH (FORCE)'.encode())


def _compared(
    environment: Environment, sites: Mapping[str, Site], call: str, options: argparse.Namespace
) -> Iterator[Result]:
    able = {name: site for name, site in sites.items() if call in site.requests}
    outcomes: dict[str, list[Outcome]] = {name: [] for name in able}
    for number in range(options.rounds):
        for name in list(able)[:: 1 if number % 2 else -1]:
            outcomes[name].append(_measured(environment, able[name], call, options.seconds))
    for name, several in outcomes.items():
        words = f"{call}, {LANES} connections, {name}"
        yield Result(words, median(one.per_second for one in several), "requests/s")
        yield Result(words, median(one.processor_ms for one in several), "ms of processor")


def _measured(environment: Environment, site: Site, call: str, seconds: float) -> Outcome:
    environment.forget_limits()
    before = site.server.worker_seconds()
    outcome = load(site.server.port, site.requests[call], lanes=LANES, seconds=seconds)
    outcome.processor = site.server.worker_seconds() - before
    if not outcome.statuses or set(outcome.statuses) - {200, 302}:
        raise RuntimeError(f"{site.server.name}, {call}: {dict(outcome.statuses)}")
    return outcome


if __name__ == "__main__":
    main()
