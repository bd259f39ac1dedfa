"""Does a web worker's memory stay flat?"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, cycle, islice

from tqdm import tqdm

from bench.cases import Case
from bench.environment import Environment, Server
from bench.load import run

STEPS = 20
LANES = 16
LONGEST_SECONDS = 600


@dataclass(frozen=True)
class Sample:
    """After how many requests each worker had how many KiB of resident memory."""

    requests: int
    kib: list[int]


def memory(
    cases: list[Case], *, environment: Environment, server: Server, requests: int
) -> list[Sample]:
    """Send a mix of calls and look at the workers' memory on the way.

    Args:
        cases: The calls, in turns; they must be repeatable.
        environment: Whose rate limits are lifted between the steps.
    """
    mixed, done = _mixed(cases), 0
    found = [Sample(0, server.worker_memory())]
    for _ in tqdm(range(STEPS), desc="memory", unit=" steps", disable=None, leave=False):
        environment.forget_limits()
        step = islice(mixed, requests // STEPS)
        outcome = run(server.port, step, lanes=LANES, seconds=LONGEST_SECONDS)
        done += len(outcome.latencies)
        found.append(Sample(done, server.worker_memory()))
    return found


def _mixed(cases: list[Case]) -> Iterator[bytes]:
    turns = zip(*(islice(case.requests(), 100) for case in cases), strict=False)
    return cycle(list(chain.from_iterable(turns)))


def growth(found: list[Sample]) -> float:
    """Return how much all workers together have grown since a quarter of the way, as a share."""
    return sum(found[-1].kib) / sum(found[len(found) // 4].kib) - 1
