"""Programs that are left running, found again, and stopped for good."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connections_project.sandbox.local import background, processes
from connections_project.sandbox.local.processes import Program, StartError

SLEEP = "import time; time.sleep(60)"
# Ends at once on SIGTERM, but leaves behind what it started and what ignores it.
STUBBORN = f"""
import subprocess, sys
child = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True);"
subprocess.Popen([sys.executable, "-c", child + "{SLEEP}"], close_fds=False)
{SLEEP}
"""


def program(code: str, *, is_ready: Callable[[], bool] = lambda: True) -> Program:
    return Program("program", ("-c", code), is_ready)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Program]:
    sleeping = program(SLEEP)
    process = background.start(sleeping, env=os.environ, folder=tmp_path)
    yield sleeping
    processes.stop(process)


def test_what_was_started_is_found_running(sleeper: Program, tmp_path: Path) -> None:
    assert background.is_running(sleeper, tmp_path)


def test_it_is_not_started_twice(sleeper: Program, tmp_path: Path) -> None:
    number = (tmp_path / "program.pid").read_text()
    with pytest.raises(StartError):
        background.start(sleeper, env=os.environ, folder=tmp_path)
    assert (tmp_path / "program.pid").read_text() == number


def test_what_was_stopped_is_gone(sleeper: Program, tmp_path: Path) -> None:
    background.stop(sleeper, tmp_path)
    assert not background.is_running(sleeper, tmp_path)
    assert not (tmp_path / "program.pid").exists()


def test_a_pid_file_that_nobody_holds_names_nobody(tmp_path: Path) -> None:
    # As after a restart of the machine, when the number is some other process's.
    (tmp_path / "program.pid").write_text(str(os.getpid()))
    assert not background.is_running(program(SLEEP), tmp_path)


def test_what_it_started_itself_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SECONDS_TO_STOP", 0.5)
    stubborn = program(STUBBORN)
    process = background.start(stubborn, env=os.environ, folder=tmp_path)
    wait_until(lambda: "deaf" in (tmp_path / "program.log").read_text())
    background.stop(stubborn, tmp_path)
    process.wait()
    wait_until(lambda: not is_alive_in_group(process.pid))


def test_a_program_failing_at_start_shows_its_log(tmp_path: Path) -> None:
    broken = program("raise SystemExit('the reason')", is_ready=lambda: False)
    process = processes.start(broken, env=os.environ, folder=tmp_path)
    with pytest.raises(StartError, match=r"the program ended\. Its log:\n    the reason"):
        processes.wait_until_ready(broken, process, folder=tmp_path)


def test_dev_down_with_nothing_running_says_so(tmp_path: Path) -> None:
    # The real folder may be in use, so the verb is called on an empty one.
    code = "import sys, pathlib; from connections_project.sandbox.local import dev; "
    code += "dev.down(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=processes.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is running.\n", "")


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_reader_that_left_is_no_failure(name: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    module = f"connections_project.sandbox.local.{name}"
    done = subprocess.run(
        [sys.executable, "-m", module, "down", "--folder", str(tmp_path)],
        cwd=processes.ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def is_alive_in_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
