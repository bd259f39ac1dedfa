"""A full disk takes metrics away, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connections_project.conf.metrics_folder import VARIABLE, prepare
from connections_project.metrics.processes import process_metrics
from tests.support.process_environment import ROOT

COUNT = """
import sys
from connections_project.core.instruments import RATE_LIMIT_DENIALS, REQUEST_SECONDS
for number in range(int(sys.argv[1])):
    RATE_LIMIT_DENIALS.labels(f"policy-{number}").inc()
    REQUEST_SECONDS.labels("GET", f"route-{number}", "200").observe(0.3)
print(RATE_LIMIT_DENIALS.labels("policy-0")._value.get())
"""
SCRAPE = """
import sys
from pathlib import Path
from connections_project.metrics.processes import process_metrics
for metric in process_metrics(Path(sys.argv[1])):
    if metric.name == "connections_rate_limit_denials":
        print(len(metric.samples))
"""


def on_a_disk_of(size: str, folder: Path, *commands: str) -> "subprocess.CompletedProcess[str]":
    """Run commands with a folder of metrics that holds as much."""
    mount = f"mount -t tmpfs -o size={size} none {folder}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    script = "\n".join([f"set -e; {mount}", *commands])
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, sys.executable],
        cwd=ROOT,
        env={VARIABLE: str(folder), "PATH": str(Path(shutil.which("unshare") or "").parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def counting(number: int) -> str:
    return f"$0 -c '{COUNT}' {number}"


@pytest.mark.parametrize(
    ("size", "number"), [("4k", 1), ("192k", 1000)], ids=["from the first", "as it grows"]
)
def test_a_process_goes_on_counting_in_its_memory(size: str, number: int, tmp_path: Path) -> None:
    done = on_a_disk_of(size, tmp_path, counting(number))
    assert (done.returncode, done.stdout) == (0, "1.0\n"), done.stderr
    assert "No room for metrics (No space left on device)" in done.stderr


def test_the_dead_are_not_added_up_and_still_count(tmp_path: Path) -> None:
    scrape = f"$0 -c '{SCRAPE}' {tmp_path}"
    rest = f"cat /dev/zero > {tmp_path}/rest 2>/dev/null || true"
    done = on_a_disk_of("1m", tmp_path, counting(10), rest, scrape, scrape)
    assert (done.returncode, done.stdout.split()) == (0, ["1.0", "10", "10"]), done.stderr


def test_a_file_has_its_room_before_it_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "")  # Undone at the end; `prepare` sets it.
    folder = prepare(str(tmp_path / "metrics"))
    subprocess.run([sys.executable, "-c", COUNT, "1000"], check=True, cwd=ROOT)
    list(process_metrics(folder))
    for path in folder.glob("*.db"):
        assert path.stat().st_blocks * 512 >= path.stat().st_size > 1 << 16
