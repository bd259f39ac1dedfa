"""What it costs to tell the host application: `python -m bench.events`.

The same is done in turns with one endpoint and with none: disconnects at full load, and very many
at once. No worker runs, so that what is measured is the writing of events, not their delivery.
"""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import Self

from bench.environment import (
    OURS,
    Environment,
    LackingError,
    Server,
    Size,
    processor_seconds,
    serving,
)
from bench.part import migrated, parser_of

LANES = 16
# Longer than a process believes to know who listens.
KNOWN_SECONDS = 1.5


def main() -> None:
    options = _options()
    with migrated(options) as environment:
        _make_an_endpoint()
        if options.disconnects:
            _disconnects(environment, options)
        if options.bulk:
            _bulk(environment, options)


def _options() -> argparse.Namespace:
    parser = parser_of("events", __doc__)
    parser.add_argument("--rounds", type=int, default=12, help="with and without, of each")
    parser.add_argument("--disconnects", type=int, default=300, help="of each round; 0 for none")
    parser.add_argument("--bulk", type=int, default=20_000, help="at once, each time; 0 for none")
    return parser.parse_args()


def _make_an_endpoint() -> None:
    from audit.events import ActorType, Interface
    from audit.record import Origin
    from connections_project.events.endpoints import create

    origin = Origin(ActorType.SYSTEM, None, Interface.COMMAND)
    create(url="https://127.0.0.1.example.com/events", origin=origin)


def _listen(*, listening: bool) -> None:
    from django.utils import timezone

    from connections_project.events.models import Endpoint

    Endpoint.objects.update(disabled_at=None if listening else timezone.now())
    time.sleep(KNOWN_SECONDS)


def _turns(rounds: int) -> Iterator[bool]:
    """Give without and with, then the other way round: whoever comes later finds more rows."""
    for number in range(rounds):
        yield from (False, True) if number % 2 == 0 else (True, False)


def _disconnects(environment: Environment, options: argparse.Namespace) -> None:
    from bench.cases import cases

    number = options.disconnects * (2 * options.rounds + 1)
    ending = next(one for one in cases(disconnects=number) if one.name == "disconnect").requests()
    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    with serving(environment, OURS, Size(2, 8)) as server:
        _cost(environment, server, ending, options.disconnects)
        for listening in _turns(options.rounds):
            _listen(listening=listening)
            found[listening].append(_cost(environment, server, ending, options.disconnects))
    print("CPU of a disconnect     none   one endpoint   more (median of pairs, lowest, highest)")
    for name, cost in (("web processes", _of_web), ("PostgreSQL", _of_database), ("both", sum)):
        without, told = (list(map(cost, found[listening])) for listening in (False, True))
        # The machine's speed changes over minutes, and is nearly the same for the two of a pair.
        more = sorted(one / other - 1 for one, other in zip(told, without, strict=True))
        print(
            f"{name:20} {median(without):5.2f} ms       {median(told):5.2f} ms   "
            f"{median(more):4.0%}, {more[0]:4.0%}, {more[-1]:4.0%}"
        )


_of_web, _of_database = itemgetter(0), itemgetter(1)


def _cost(
    environment: Environment, server: Server, ending: Iterator[bytes], number: int
) -> tuple[float, float]:
    """Disconnect so many; give the milliseconds of the web and of PostgreSQL for one."""
    from itertools import islice

    from bench.load import run

    environment.forget_limits()
    before = server.worker_seconds()
    with DatabaseMeter(environment) as meter:
        outcome = run(server.port, islice(ending, number), lanes=LANES, seconds=600)
    web = server.worker_seconds() - before
    if outcome.statuses[200] != number:
        raise LackingError(f"not all were disconnected: {dict(outcome.statuses)}")
    return 1000 * web / number, 1000 * meter.seconds / number


class DatabaseMeter(threading.Thread):
    """Watches what the server's processes for our database use; they show its name."""

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self._name = environment.database_url.rpartition("/")[2].encode()
        self._over = threading.Event()
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._look()
        self._first = self._last.copy()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self._look()

    def run(self) -> None:
        while not self._over.wait(0.05):
            self._look()

    @property
    def seconds(self) -> float:
        return sum(used - self._first.get(pid, 0.0) for pid, used in self._last.items())

    def _look(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # It has ended meanwhile.
                text, pid = path.read_bytes(), int(path.parent.name)
                if text.startswith(b"postgres:") and self._name in text:
                    self._last[pid] = processor_seconds(pid)


def _bulk(environment: Environment, options: argparse.Namespace) -> None:
    from bench import bulk

    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    peak = {False: 0, True: 0}
    expected = 0
    for number, listening in enumerate(_turns(options.rounds)):
        _listen(listening=listening)
        email = bulk.lay_out(f"told-{number}", options.bulk)
        began = time.perf_counter()
        with DatabaseMeter(environment) as meter:
            used = bulk.by_the_command(email)
        seconds = time.perf_counter() - began
        processor = used.ru_utime + used.ru_stime + meter.seconds
        found[listening].append((options.bulk / seconds, options.bulk / processor))
        peak[listening] = max(peak[listening], used.ru_maxrss)
        bulk.require_ended(email)
        expected += options.bulk * listening
        _require_written(expected)
    print(f"{options.bulk} at once          none   one endpoint   ratio (aim: 0.6)")
    for name, place in (("a second", 0), ("a processor second", 1)):
        without, with_one = (median(one[place] for one in found[key]) for key in (False, True))
        print(f"{name:20} {without:7.0f}   {with_one:12.0f}   {with_one / without:5.2f}")
    print(f"most memory, MiB     {peak[False] / 1024:7.0f}   {peak[True] / 1024:12.0f}")


def _require_written(number: int) -> None:
    from connections_project.events.models import Delivery

    written = Delivery.objects.filter(connection_id__isnull=False).count()
    if written != number:
        raise LackingError(f"{written} deliveries were written, and {number} were expected")


if __name__ == "__main__":
    main()
