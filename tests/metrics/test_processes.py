"""Several processes of one host: their sums, and what is left of those that are dead."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from connections_project.conf.metrics_folder import VARIABLE, default_folder, prepare
from connections_project.metrics.processes import process_metrics
from tests.support.process_environment import ROOT

COUNTING = """
from connections_project.core.instruments import RATE_LIMIT_DENIALS, REQUEST_SECONDS
RATE_LIMIT_DENIALS.labels("API_READ").inc()
REQUEST_SECONDS.labels("GET", "providers", "200").observe(0.003)
REQUEST_SECONDS.labels("GET", "providers", "200").observe(0.3)
"""
WAITING = "import sys\nprint('counted', flush=True)\nsys.stdin.read()\n"
SHOW = f"""
import os
from pathlib import Path
from connections_project.metrics.processes import process_metrics
for metric in process_metrics(Path(os.environ["{VARIABLE}"])):
    if metric.name == "connections_rate_limit_denials":
        print(metric.samples[0].value)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, "")  # Undone at the end; `prepare` sets it.
    return prepare(str(tmp_path / "metrics"))


def run(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def sums(folder: Path) -> dict[str, float]:
    """Return count, one bucket and the seconds of the histogram, and the counter."""
    found = {}
    for metric in process_metrics(folder):
        for sample in metric.samples:
            if sample.labels.get("le", "0.005") == "0.005":
                found[sample.name.removeprefix("connections_")] = sample.value
    return found


EXPECTED = {
    "rate_limit_denials_total": 1,
    "http_request_duration_seconds_count": 2,
    "http_request_duration_seconds_bucket": 1,
    "http_request_duration_seconds_sum": 0.303,
}


def times(number: int) -> dict[str, Any]:
    return {name: pytest.approx(number * value) for name, value in EXPECTED.items()}


def test_live_processes_metrics_are_added_up(folder: Path) -> None:
    command = [sys.executable, "-c", COUNTING + WAITING]
    two = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for each in two:
            assert each.stdout
            assert each.stdout.readline() == b"counted\n"
        assert sums(folder) == times(2)
        # Files of the living are left alone.
        assert len(list(folder.glob("counter_*.db"))) == 2
        assert sums(folder) == times(2)
    finally:
        for each in two:
            each.communicate(b"")
    assert sums(folder) == times(2)


def test_ended_processes_are_merged_and_sums_stay(folder: Path) -> None:
    for number in range(1, 4):
        run(COUNTING)
        assert sums(folder) == times(number)
        assert sorted(path.name for path in folder.glob("*.db")) == [
            "counter_dead.db",
            "histogram_dead.db",
        ]


def test_a_start_with_nobody_alive_begins_anew(folder: Path) -> None:
    run(COUNTING)
    sums(folder)
    prepare(str(folder))
    assert sums(folder) == {}


def test_a_start_keeps_other_processes_metrics(folder: Path) -> None:
    run(COUNTING)
    sums(folder)
    command = [sys.executable, "-c", COUNTING + WAITING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        prepare(str(folder))
        assert sums(folder) == times(2)
        other.communicate(b"")


def test_a_forked_worker_counts_for_itself(folder: Path) -> None:
    """Celery's workers are forked from a process that may have counted already."""
    run(COUNTING + f"import os\npid = os.fork()\n{COUNTING}\npid and os.wait()\n")
    assert sums(folder) == times(3)


def test_concurrent_writes_are_never_misread(folder: Path) -> None:
    busy = COUNTING.replace('"200"', "str(number)")
    program = "for number in range(300):\n" + busy.replace("\n", "\n    ")
    with subprocess.Popen([sys.executable, "-c", program]) as writer:
        counts = [0.0]
        while writer.poll() is None:
            counts.append(sums(folder).get("rate_limit_denials_total", 0.0))
    assert writer.returncode == 0
    assert counts == sorted(counts)
    assert sums(folder)["rate_limit_denials_total"] == 300


@pytest.mark.parametrize("pid", [os.getpid(), 2**22 + 1], ids=["alive", "dead"])
def test_a_file_that_is_still_empty_counts_nothing(folder: Path, pid: int) -> None:
    """As it is for a moment after its process has made it."""
    run(COUNTING)
    (folder / f"counter_{pid}.db").touch()
    assert sums(folder) == times(1)


def test_other_files_of_the_folder_are_left_alone(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    prepare(str(folder))
    sums(folder)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_folder_that_can_t_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError):
            prepare(str(path))


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    """They could put links to our files there."""
    open_to_all, linked = tmp_path / "open", tmp_path / "linked"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    linked.symlink_to(tmp_path)
    for each in (open_to_all, linked):
        with pytest.raises(ValueError):
            prepare(str(each))
    assert not list(open_to_all.iterdir())


def test_the_default_folder_is_per_user_and_service() -> None:
    one, other = default_folder("a", "b"), default_folder("a", "c")
    assert one != other
    assert str(os.getuid()) in one


def test_a_database_beside_them_is_none_of_them(folder: Path) -> None:
    run(COUNTING)
    (folder / "app.db").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 16)
    assert sums(folder) == EXPECTED


def test_what_can_t_be_deleted_counts_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(COUNTING)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", Mock(side_effect=PermissionError))
        assert sums(folder) == times(1)
        run(COUNTING)
        assert [sums(folder) for _ in range(2)] == [times(2)] * 2
    assert sums(folder) == times(2)
    assert len(list(folder.glob("*.db"))) == 2


def test_a_folder_for_reading_alone_is_read(folder: Path) -> None:
    run(COUNTING)
    script = f"""
        mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && exec $0 -c '{SHOW}'
    """
    shown = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in shown.stderr:
        pytest.skip("no file system can be mounted here")
    assert shown.stdout == "1.0\n", shown.stderr
