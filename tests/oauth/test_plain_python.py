"""The client is plain Python: it works where Django was never set up."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import pkgutil, sys
import connections_project.oauth as package
for module in pkgutil.iter_modules(package.__path__):
    __import__(f"{package.__name__}.{module.name}")
assert not [name for name in sys.modules if name.split(".")[0] in {"django", "rest_framework"}]
"""


def test_the_client_needs_no_django() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
