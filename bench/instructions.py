"""How many instructions a call takes beside the plain DRF view: `python -m bench.instructions`.

Counted by callgrind, which other work on the machine doesn't distort. `--check` fails where a ratio
is above the one that was reached by more than a twentieth.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.counted import WARM_UP
from bench.environment import ROOT, Environment, LackingError
from bench.part import Result, part_parser, run

COUNTED = 20
TOLERANCE = 1.05
AIMS = {"disconnect": 1.0, "get": 0.75, "list of 50": 0.5}
# What was reached, on Python 3.11.
REACHED = {"disconnect": 1.04, "get": 0.75, "list of 50": 0.55}
SETTINGS = {"ours": "connections_project.settings", "plain": "bench.plain_drf.settings"}


def main() -> None:
    parser = part_parser("instructions", __doc__)
    parser.add_argument("--check", action="store_true", help="fail where it has become worse")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("Instructions can't be counted: there is no valgrind.")
    found = dict(zip(AIMS, run(options, measure), strict=True))
    worse = [name for name, one in found.items() if one.value > REACHED[name] * TOLERANCE]
    if options.check and worse:
        sys.exit(f"More instructions than before: {', '.join(worse)} (bench/instructions.py).")


def measure(environment: Environment, _: argparse.Namespace) -> Sequence[Result]:
    """Return for each kind of call our instructions as a part of the plain view's."""
    ours, plain = (_counted(environment, whose) for whose in SETTINGS)
    return [
        Result(f"instructions of {name}", ours[name] / plain[name], "of the plain view's", most=aim)
        for name, aim in AIMS.items()
    ]


def _counted(environment: Environment, whose: str) -> dict[str, int]:
    environment.forget_limits()
    requests, folder = environment.folder / f"{whose}.json", environment.folder / whose
    requests.write_text(json.dumps(_requests(whose)), encoding="utf-8")
    folder.mkdir()
    command = (
        *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"),
        # Of the thread that answers: messages to the broker are one for many requests elsewhere,
        # but here, where each takes fifty times as long, one for each of them.
        "--separate-threads=yes",
        f"--callgrind-out-file={folder}/counts",
        *(os.path.realpath(sys.executable), "-m", "bench.counted", str(requests)),
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    variables = {"DJANGO_SETTINGS_MODULE": SETTINGS[whose], "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LackingError(f"bench.counted failed:\n{done.stderr[-2000:]}")
    files = [folder / f"counts.{number}-01" for number in range(1, len(AIMS) + 1)]
    return dict(zip(AIMS, map(_total, files), strict=True))


def _requests(whose: str) -> dict[str, list[dict[str, str]]]:
    # Models can be imported once Django is set up.
    from bench import seed

    number = WARM_UP + COUNTED
    (owner,) = seed.people(f"{whose}-counted", number=1, connections=number)
    (collector,) = seed.people(f"{whose}-collector", number=1, connections=50)
    one = f"/api/v1/providers/{collector.connections[0]}"
    return {
        "disconnect": [
            _request("DELETE", f"/api/v1/auth/{each}/disconnect", owner.token)
            for each in owner.connections
        ],
        "get": [_request("GET", one, collector.token)] * number,
        "list of 50": [_request("GET", "/api/v1/providers", collector.token)] * number,
    }


def _request(method: str, path: str, token: str) -> dict[str, str]:
    bearer = f"Bearer {token}"
    return {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_AUTHORIZATION": bearer}


def _total(path: Path) -> int:
    found = re.search(r"^totals: (\d+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise LackingError(f"callgrind has written no total to {path.name}")
    return int(found[1]) // COUNTED


if __name__ == "__main__":
    main()
