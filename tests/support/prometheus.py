"""The shipped alert rules, evaluated by Prometheus' own `promtool` over what was scraped."""

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
import yaml

from tests.support.process_environment import ROOT

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
Sample = tuple[str, frozenset[tuple[str, str]]]
Scraped = Mapping[Sample, float]
# Minutes: of quiet, and when after it the rules are looked at.
QUIET, LONGER = 70, 20
SOON, LATER = QUIET + 5, QUIET + 18
FIRING = 'group by (alertname) (ALERTS{alertstate="firing"})'


def promtool() -> str:
    """Find the program; without it skip, or fail under CI=true."""
    found = shutil.which("promtool")
    if found is None:
        message = "left out: no promtool (Debian: prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def assert_firing(
    before: Scraped, after: Scraped, names: Collection[str], *, goes_on: bool, folder: Path
) -> None:
    """Fail unless exactly these alerts fire after a change, and none did before it.

    Args:
        before: What was scraped every minute for an hour and more.
        after: What was scraped from then on.
        names: Of the alerts.
        goes_on: Whether counters go on to rise every minute by what they rose by at first.
        folder: For files.
    """
    series = {**_series(before, after, goes_on=goes_on)}
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)]
    at = LATER if goes_on else SOON
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": FIRING, "eval_time": f"{QUIET - 1}m", "exp_samples": []},
            {"expr": FIRING, "eval_time": f"{at}m", "exp_samples": expected},
        ],
    }
    _run({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}, folder)


def _run(tests: object, folder: Path) -> None:
    path = folder / "alerts_test.yml"
    path.write_text(yaml.safe_dump(tests), encoding="utf-8")
    command = [promtool(), "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _series(before: Scraped, after: Scraped, *, goes_on: bool) -> dict[str, str]:
    # Of a process that has run thousands of tests there are more than promtool reads in a minute.
    rules = RULES.read_text(encoding="utf-8")
    return {
        _name(sample): _values(sample, before.get(sample), after.get(sample), goes_on=goes_on)
        for sample in {**before, **after}
        if sample[0] in rules
    }


def _name(sample: Sample) -> str:
    name, labels = sample
    pairs = {"instance": "web", "job": "connections", **dict(labels)}
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in pairs.items()) + "}"


def _values(sample: Sample, old: float | None, new: float | None, *, goes_on: bool) -> str:
    quiet = f"_x{QUIET}" if old is None else f"{old!r}x{QUIET - 1}"
    if new is None:
        return f"{quiet} _x{LONGER}"
    rise = (new - (old or 0)) if goes_on and _is_counter(sample) else 0
    return f"{quiet} {new!r}+{rise!r}x{LONGER}"


def _is_counter(sample: Sample) -> bool:
    return sample[0].endswith(("_total", "_count", "_bucket", "_sum"))
