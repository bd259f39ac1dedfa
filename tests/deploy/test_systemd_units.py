"""The units start what there is, and systemd itself finds nothing wrong with them."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process_environment import ROOT

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))


def test_systemd_accepts_them(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("left out: no systemd-analyze")
    bin_folder = str(Path(sys.executable).parent)
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8").replace("/srv/connections/.venv/bin", bin_folder)
        (tmp_path / unit.name).write_text(text.replace("/srv/connections", str(ROOT)), "utf-8")
    names = [str(tmp_path / unit.name) for unit in UNITS.iterdir()]
    done = subprocess.run(
        # Not the units of this machine, which has what ours come after, or has it not.
        [program, "verify", "--man=no", "--recursive-errors=no", *names],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    ours = [line for line in done.stderr.splitlines() if "connections" in line]
    assert ours == []
    assert done.returncode == 0


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_each_is_locked_down_and_drains(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, encoding="utf-8")
    service = dict(parser["Service"])
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictSUIDSGID"):
        assert service[name] == "yes"
    assert (service["User"], service["ProtectSystem"]) == ("connections", "strict")
    if service["Type"] == "exec":
        assert int(service["TimeoutStopSec"]) >= 35
        assert parser["Unit"]["Requires"] == "connections-migrate.service"
