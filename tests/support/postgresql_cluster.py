"""A PostgreSQL cluster of a test's own, which may be restarted."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, LiteralString

import psycopg
import pytest

from tests.support.platform_server import free_port

DEBIAN = Path("/usr/lib/postgresql")


def binaries_or_skip() -> Path:
    """Find Debian's programs; without them skip, or fail under CI=true."""
    found = sorted(DEBIAN.glob("*/bin/initdb"))
    if not found:
        message = f"left out: no PostgreSQL below {DEBIAN}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found[-1].parent


@dataclass(frozen=True)
class Cluster:
    binaries: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def create(self, files: Path | None = None) -> None:
        """Make its files anew, or those that another one had."""
        if files is None:
            self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync")
        else:
            copy(files, Path(self._data))

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self.folder}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """End it as a machine does that is shut down in a hurry: nobody may finish."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def keep(self, files: Path) -> None:
        """Copy its files, for others to begin with."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "fast", "stop")
        copy(Path(self._data), files)
        self.start()

    def run(self, statement: LiteralString) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            # What may have been left read-only is changed all the same.
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(statement)

    def set_read_only(self, value: Literal["on", "off"]) -> None:
        """Refuse all writes, as a primary does that was demoted, or take them again."""
        self.run(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        self.run("SELECT pg_reload_conf()")

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave no room on its own disk, as somebody else's file does."""
        filling = self.folder / "filling"
        try:
            with filling.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(4096)):
                    pass
            yield
        finally:
            filling.unlink()

    def end_sessions(self) -> None:
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def processes_at(self, pattern: str) -> list[int]:
        """Return those of the sessions that are at a statement like this."""
        statement = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s"
        with psycopg.connect(self.url) as connection:
            return [pid for (pid,) in connection.execute(statement, [pattern])]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop all of its processes where they stand: its kernel still takes what comes."""
        processes = self._processes()
        try:
            _signal(processes, signal.SIGSTOP)
            yield
        finally:
            _signal(processes, signal.SIGCONT)

    def _processes(self) -> list[int]:
        text = (Path(self._data) / "postmaster.pid").read_text(encoding="ascii")
        first = int(text.splitlines()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii")
        return [first, *map(int, children.split())]

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root.
        as_postgres = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        command = [*as_postgres, str(self.binaries / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)


def copy(files: Path, to: Path) -> None:
    """Copy a folder, whose files stay their owner's."""
    subprocess.run(["cp", "-a", str(files), str(to)], check=True)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # A session that has ended meanwhile.
            os.kill(process, number)


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Have a folder be a small disk of its own; where none may be mounted, skip."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("left out: no disk may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def cluster(files: Path | None = None, *, megabytes: int = 0) -> Iterator[Cluster]:
    """Run a cluster in a folder that its user may enter, which pytest's own doesn't let him.

    Args:
        files: Those of another one to begin with; by default it is empty.
        megabytes: The size of the disk that it has to itself; 0 for the machine's.
    """
    binaries = binaries_or_skip()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="connections-postgresql-"))
        stack.callback(shutil.rmtree, folder)
        if megabytes:
            stack.enter_context(disk(folder, megabytes))
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        running = Cluster(binaries, folder, free_port())
        running.create(files)
        running.start()
        stack.callback(running.stop)
        yield running
