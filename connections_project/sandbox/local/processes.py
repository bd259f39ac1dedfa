"""Processes that the demo and the development set-up start, and how to know that they are up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from connections_project.sandbox.local.certificate import Certificate

ROOT = Path(__file__).resolve().parents[3]
SECONDS_TO_START = 120.0  # on a machine with much else to do; one that has ended is noticed at once
# A call to a platform that is under way takes up to 10, and is not cut off.
SECONDS_TO_STOP = 15.0


class StartError(Exception):
    """A process ended or stayed silent at its start; the message has the end of its log."""


@dataclass(frozen=True)
class Program:
    """What is to run.

    Args:
        name: What it is called on the screen, and its log.
        command: After the interpreter.
        port: Where it listens; 0 for one that doesn't.
    """

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    port: int = 0

    @property
    def argv(self) -> list[str]:
        return [sys.executable, *self.command]


def service(port: int, certificate: Certificate) -> Program:
    """Describe the service behind TLS. One process: the embedded default keeps state in it."""
    url = f"https://localhost:{port}/api/v1/platforms"
    return _served("service", port, certificate, "--workers", "1", url=url)


def web(port: int, certificate: Certificate) -> Program:
    """Describe the service as production runs it: several processes, replaced when they die."""
    workers, url = (
        ("--workers", "2", "--respawn-failed-workers"),
        f"https://localhost:{port}/readyz",
    )
    return _served("web", port, certificate, *workers, url=url)


def _served(name: str, port: int, certificate: Certificate, *workers: str, url: str) -> Program:
    command = (
        *("-m", "granian", "--interface", "rsgi"),
        *("--http", "1", "--backlog", "8192", "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(port), *workers),
        *("--ssl-certificate", str(certificate.chain), "--ssl-keyfile", str(certificate.key)),
        "connections_project.rsgi:application",
    )
    return Program(name, command, lambda: answers(url, certificate.authority), port)


def worker(folder: Path) -> Program:
    """Describe a Celery worker, which is up once its log says so."""
    log = folder / "worker.log"
    command = ("-m", "celery", "-A", "connections_project", "worker")
    return Program("worker", command, lambda: " ready." in log.read_text(encoding="utf-8"))


def beat() -> Program:
    """Describe Celery's beat; it has nothing to answer, and is up once it was started."""
    return Program("beat", ("-m", "celery", "-A", "connections_project", "beat"), lambda: True)


def sandbox(port: int, database: Path) -> Program:
    command = ("manage.py", "sandbox", "--port", str(port), "--database", str(database))
    return Program("sandbox", command, lambda: answers(f"http://127.0.0.1:{port}/"), port)


def revocations() -> Program:
    """Describe the retries; they have nothing to answer, and are up once they were started."""
    return Program("revocations", ("manage.py", "run_background", "--forever"), lambda: True)


def start(
    program: Program, *, env: Mapping[str, str], folder: Path, pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a program in the project's folder, in a session of its own: neither Ctrl-C nor the
    terminal's end reaches it.

    Args:
        env: Its whole environment.
        folder: Where `<name>.log` is written anew.
        pass_fds: Open files that it inherits.
    """
    with log_of(program, folder).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - the command is our own.
            program.argv,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
            start_new_session=True,
        )


def wait_until_ready(program: Program, process: subprocess.Popen[bytes], *, folder: Path) -> None:
    """Wait until a program answers.

    Raises:
        StartError: It ended, or does not answer in time.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        if program.is_ready():
            return
        time.sleep(0.1)
    how = "did not answer" if process.poll() is None else "ended"
    raise StartError(f"the {program.name} {how}. Its log:\n{tail(log_of(program, folder))}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, by force what does not end by itself."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):  # Force follows.
        process.wait(SECONDS_TO_STOP)
    # A server that gets SIGTERM while it starts a worker leaves the worker behind.
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # Each was started as the leader of a group; a group that is gone has ended already.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def answers(url: str, authority: Path | None = None) -> bool:
    """Return whether a GET succeeds, over TLS with the authority's certificate."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            verify = True if authority is None else str(authority)
            return session.get(url, verify=verify, timeout=5).ok
    except requests.RequestException:
        return False


def log_of(program: Program, folder: Path) -> Path:
    return folder / f"{program.name}.log"


def tail(log: Path, lines: int = 15) -> str:
    """Return the end of a log, indented."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
