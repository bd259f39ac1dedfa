"""The product and plain DRF views, measured in turns: on a shared machine only pairs compare."""

from dataclasses import dataclass, field
from statistics import median

from tqdm import tqdm

from bench.cases import Case
from bench.environment import Environment, Server
from bench.load import Outcome, run


class WrongAnswerError(Exception):
    """A server answered otherwise than it had to, so its speed means nothing."""


@dataclass
class Comparison:
    """One call at one number of connections."""

    case: Case
    lanes: int
    ours: list[Outcome] = field(default_factory=list)
    plain: list[Outcome] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Return for each round how many of our requests were done in the time of a plain one."""
        pairs = zip(self.ours, self.plain, strict=True)
        return [ours.per_second / plain.per_second for ours, plain in pairs if plain.per_second]

    @property
    def ratio(self) -> float:
        return median(self.ratios) if self.ratios else 0.0


@dataclass(frozen=True)
class Pair:
    """The two servers."""

    environment: Environment
    ours: Server
    plain: Server
    rounds: int
    seconds: float

    def compared(self, case: Case, *, lanes: int) -> Comparison:
        """Measure both in turns, each round beginning with the other one.

        Raises:
            WrongAnswerError: One answered something else than the case demands.
        """
        comparison = Comparison(case, lanes)
        turns = [(self.ours, comparison.ours), (self.plain, comparison.plain)]
        words = f"{case.name}, {lanes} connections"
        for number in tqdm(range(self.rounds), desc=words, disable=None, leave=False):
            for server, outcomes in turns if number % 2 else turns[::-1]:
                outcomes.append(self._measured(case, server, lanes))
        return comparison

    def _measured(self, case: Case, server: Server, lanes: int) -> Outcome:
        self.environment.forget_limits()
        before = server.worker_seconds()
        outcome = run(server.port, case.requests(), lanes=lanes, seconds=self.seconds)
        outcome.processor = server.worker_seconds() - before
        if set(outcome.statuses) != {case.status}:
            raise WrongAnswerError(f"{server.name}, {case.name}: {dict(outcome.statuses)}")
        return outcome
