"""Bars per day as SVG; the Content-Security-Policy of our pages allows no script for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

KINDS = ("connected", "disconnected", "failed")
BAR, GAP, HEIGHT, BASE = 10, 14, 120, 16


@dataclass(frozen=True)
class Bar:
    """One rectangle, in units of the drawing, and its tooltip."""

    kind: str
    x: int
    y: int
    height: int
    title: str


@dataclass(frozen=True)
class Chart:
    """All of them, with the days beneath and the highest number beside."""

    bars: tuple[Bar, ...]
    labels: tuple[tuple[int, str], ...]
    width: int
    height: int
    highest: int

    @property
    def baseline(self) -> int:
        return HEIGHT + BASE


def chart(days: Mapping[str, Mapping[str, int]]) -> Chart:
    """Return the chart of some days, in their order.

    Args:
        days: By ISO date, how many of each kind.
    """
    highest = max((number for day in days.values() for number in day.values()), default=0)
    group = len(KINDS) * BAR
    step = group + GAP
    return Chart(
        bars=tuple(_bars(days, step, highest)),
        labels=tuple((number * step + group // 2, day[5:]) for number, day in enumerate(days)),
        width=max(len(days) * step, 1),
        height=HEIGHT + 2 * BASE,
        highest=highest,
    )


def _bars(days: Mapping[str, Mapping[str, int]], step: int, highest: int) -> Iterator[Bar]:
    for place, (day, numbers) in enumerate(days.items()):
        for offset, kind in enumerate(KINDS):
            number = numbers.get(kind, 0)
            # What happened at all is seen, however many others there were.
            height = max(round(HEIGHT * number / highest), 2) if number else 0
            x = place * step + offset * BAR
            yield Bar(kind, x, HEIGHT + BASE - height, height, f"{day}: {number} {kind}")
