"""What every part of `make bench` has: options, a database of its own, a table with the aims."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import django
from django.core.management import call_command

from bench.environment import Environment, LackingError, prepared

DATABASE = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379/15"


@dataclass(frozen=True)
class Result:
    """One number and what it should be.

    Args:
        least: The aim, where more is better; None where there is none.
        most: The aim, where less is better.
    """

    what: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        aim = next((f"{sign} {one:g}" for sign, one in self._aims()), "")
        missed = self._is_missed() and "**missed**"
        return f"| {self.what} | {self.value:,.3g} {self.unit} | {aim} | {missed or ''} |"

    def _aims(self) -> list[tuple[str, float]]:
        known = (("≥", self.least), ("≤", self.most))
        return [(sign, aim) for sign, aim in known if aim is not None]

    def _is_missed(self) -> bool:
        too_little = self.least is not None and self.value < self.least
        return too_little or (self.most is not None and self.value > self.most)


Measure = Callable[[Environment, argparse.Namespace], Sequence[Result]]


def add_servers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default=DATABASE)
    parser.add_argument("--redis-url", default=REDIS)


def parser_of(name: str, words: str | None) -> argparse.ArgumentParser:
    """Return the parser of what is measured by itself."""
    parser = argparse.ArgumentParser(prog=f"bench.{name}", description=words)
    add_servers(parser)
    return parser


def part_parser(name: str, words: str | None) -> argparse.ArgumentParser:
    """Return the parser of a part of `make bench`, whose results are kept."""
    parser = parser_of(name, words)
    parser.add_argument("--json", type=Path, help="where the results are also written to")
    return parser


@contextmanager
def migrated(options: argparse.Namespace) -> Iterator[Environment]:
    """Give the service on a database of its own, with its tables."""
    try:
        with prepared(options.database_url, options.redis_url) as environment:
            django.setup()
            call_command("migrate", verbosity=0)
            yield environment
    except LackingError as error:
        sys.exit(f"It can't be measured: {error}")


def run(options: argparse.Namespace, measure: Measure) -> Sequence[Result]:
    """Measure in a database of its own, and print and write what was found."""
    with migrated(options) as environment:
        found = measure(environment, options)
    print("\n".join(map(str, found)), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")
    return found
