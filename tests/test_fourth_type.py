"""A fourth connection type, installed by EXTRA_APPS alone, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A worker's number would be added to its Redis database once more.
NOT_INHERITED = {"PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"}


def test_a_fourth_type_is_found_everywhere() -> None:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "tests/fourth_type"],
        cwd=ROOT,
        env=kept | {"EXTRA_APPS": "tests.fourth_type"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
