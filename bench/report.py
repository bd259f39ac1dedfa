"""The results of the calls and of the bulk disconnect, as text for people."""

from statistics import median
from typing import Any

from bench.bulk import Race
from bench.compare import Comparison
from bench.load import Outcome
from bench.memory import Sample, growth

COLUMNS = {
    "call": "call",
    "connections": "connections",
    "ours_per_second": "ours/s",
    "plain_per_second": "plain/s",
    "ratio": "ratio",
    "ratios": "of each round",
    "aim": "aim",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "ours_processor_ms": "ours CPU ms",
    "plain_processor_ms": "plain CPU ms",
    "pgbench_per_second": "pgbench/s",
}


def described(comparison: Comparison, limits: dict[int, float]) -> dict[str, Any]:
    """Return the numbers of a comparison; a rate is the median of its rounds."""
    ours, plain = comparison.ours, comparison.plain
    is_disconnect = comparison.case.name == "disconnect"
    return {
        "call": comparison.case.name,
        "connections": comparison.lanes,
        "ours_per_second": round(_rate(ours), 1),
        "plain_per_second": round(_rate(plain), 1),
        "ratio": round(comparison.ratio, 2),
        "ratios": [round(ratio, 2) for ratio in comparison.ratios],
        "aim": comparison.case.aim,
        "p50_ms": round(median(one.percentile(0.5) for one in ours), 1),
        "p99_ms": round(median(one.percentile(0.99) for one in ours), 1),
        "ours_processor_ms": round(median(one.processor_ms for one in ours), 2),
        "plain_processor_ms": round(median(one.processor_ms for one in plain), 2),
        "pgbench_per_second": round(limits[comparison.lanes])
        if is_disconnect and comparison.lanes in limits
        else None,
    }


def _rate(outcomes: list[Outcome]) -> float:
    return median(one.per_second for one in outcomes)


def table(results: list[dict[str, Any]]) -> str:
    """Write the results as a table in Markdown."""
    lines = [list(COLUMNS.values()), ["---"] * len(COLUMNS)]
    lines += [[_cell(result[name]) for name in COLUMNS] for result in results]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def words_about_memory(found: list[Sample]) -> str:
    """Say in one line how the workers' memory went."""
    first, last = found[0], found[-1]
    return (
        f"Memory of the web workers over {last.requests:,} requests: "
        f"{_mib(first)} at the start, {_mib(found[len(found) // 4])} after a quarter, "
        f"{_mib(last)} at the end; grown by {growth(found):.1%} since the quarter."
    )


def words_about_bulk(race: Race) -> str:
    """Say in one line how the ending of very many went."""
    return (
        f"Ending {race.connections:,} connections at once: {race.per_second('ours'):,.0f}/s by the "
        f"command, {race.per_second('plain'):,.0f}/s by plain SQL, ratio {race.ratio:.2f}; "
        f"{race.peak_kib / 1024:.0f} MiB at most."
    )


def _mib(sample: Sample) -> str:
    return " + ".join(f"{kib / 1024:.0f}" for kib in sample.kib) + " MiB"
