"""Programs that outlive who started them, and how to find them again.

Each holds a lock on its pid file as long as it lives. So a file left by a crash or a restart of the
machine names nobody, even when its number has become another process's.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from connections_project.sandbox.local import processes
from connections_project.sandbox.local.interruptions import Interrupted
from connections_project.sandbox.local.output import say
from connections_project.sandbox.local.processes import SECONDS_TO_STOP, Program, StartError


def is_running(program: Program, folder: Path) -> bool:
    path = _pid_file(program, folder)
    if not path.exists():
        return False
    with path.open() as file:
        return not _take(file)


def start_all(programs: Sequence[Program], *, env: Mapping[str, str], folder: Path) -> None:
    """Start programs that stay, and wait until all are up.

    Raises:
        StartError: One did not come up; what was started beside it is stopped again.
    """
    try:
        started = [(program, start(program, env=env, folder=folder)) for program in programs]
        for program, process in started:
            processes.wait_until_ready(program, process, folder=folder)
    except (StartError, Interrupted):
        stop_all(programs, folder)
        raise


def stop_all(programs: Sequence[Program], folder: Path) -> list[Program]:
    """End those programs that run, and give them."""
    running = [program for program in programs if is_running(program, folder)]
    for program in running:
        stop(program, folder)
    return running


def stop_and_say(programs: Sequence[Program], folder: Path) -> None:
    """End those programs that run, and print which these were."""
    stopped = stop_all(programs, folder)
    for program in stopped:
        say(f"Stopped the {program.name}.")
    if not stopped:
        say("Nothing is running.")


def start(program: Program, *, env: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a program that stays; its log and its pid file are in `folder`.

    Raises:
        StartError: It runs already.
    """
    # Opened for appending, so that another's number stays until the lock is ours.
    with _pid_file(program, folder).open("a") as file:
        if not _take(file):
            raise StartError(f"the {program.name} is being started by another call")
        process = processes.start(program, env=env, folder=folder, pass_fds=(file.fileno(),))
        # The lock belongs to the open file, which the program goes on to hold (flock(2)).
        file.truncate(0)
        file.write(str(process.pid))
    return process


def stop(program: Program, folder: Path) -> None:
    """End a running program with all of its processes, by force if need be."""
    path = _pid_file(program, folder)
    group = int(path.read_text())
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):  # It may have ended by itself.
            os.killpg(group, number)
        if _has_ended(program, folder):
            break
    path.unlink()


def _has_ended(program: Program, folder: Path) -> bool:
    deadline = time.monotonic() + SECONDS_TO_STOP
    while is_running(program, folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(program, folder)


def _take(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_file(program: Program, folder: Path) -> Path:
    return folder / f"{program.name}.pid"
