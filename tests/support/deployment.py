"""The processes of production, each started, killed and ended by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.process_environment import ROOT

PATIENCE = 40.0  # seconds; longer than anything here takes on a machine with much else to do


def wait_until(condition: Callable[[], object], *, why: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never came about\n{why()}"
        time.sleep(0.02)


def wait_while_it_shrinks(left: Callable[[], int]) -> None:
    """Wait until nothing is left, as long as ever less is."""
    least, seen = left(), time.monotonic()
    while least:
        assert time.monotonic() - seen < PATIENCE, f"{least} are left, and it goes no further"
        time.sleep(0.2)
        if (now_left := left()) < least:
            least, seen = now_left, time.monotonic()


@dataclass(frozen=True)
class Running:
    """A process, the leader of a group of its own, and what it writes."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.said(), why=self.said)

    def kill(self) -> None:
        """End it and all that it started, without a chance to clean up."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        """Have it end in its own time, and give its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@dataclass(frozen=True)
class Deployment:
    """What a host runs, with one environment for all of it.

    Args:
        environment: The variables.
        folder: Where the logs go.
    """

    environment: Mapping[str, str]
    folder: Path

    @contextmanager
    def workers(self, number: int = 1, *, until: str = " ready.") -> Iterator[list[Running]]:
        # Without asking around for others first, which takes a second.
        quiet = ("--without-gossip", "--without-mingle")
        command = ("celery", "-A", "connections_project", "worker", *quiet)
        with ExitStack() as stack:
            workers = [
                stack.enter_context(self.running(f"worker-{index}", *command))
                for index in range(number)
            ]
            for worker in workers:
                worker.wait_for(until)
            yield workers

    @contextmanager
    def beat(self) -> Iterator[Running]:
        with self.running("beat", "celery", "-A", "connections_project", "beat") as beat:
            yield beat

    @contextmanager
    def web(self, port: int, *, workers: int = 1) -> Iterator[Running]:
        server = ("granian", "--interface", "rsgi", "--http", "1", "--no-ws", "--port", str(port))
        sizes = ("--workers", str(workers), "--respawn-failed-workers")
        application = "connections_project.rsgi:application"
        with self.running("web", *server, *sizes, application) as web:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), why=web.said)
            yield web

    @contextmanager
    def running(self, name: str, *module: str) -> Iterator[Running]:
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=ROOT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        running = Running(process, log)
        try:
            yield running
        finally:
            running.kill()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
