"""The folder in which each process of this host keeps its metrics (PROMETHEUS_MULTIPROC_DIR).

This stands apart from prometheus-client, which looks for the folder when it is first imported.
"""

import fcntl
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# As prometheus-client names them. No gauge is kept here: those of dead processes mean nothing.
_FILE = re.compile(r"(?P<kind>counter|histogram)_(?P<pid>\d+)\.db")
# What is left of the dead is added up in these.
_SUMS = ("counter_dead.db", "histogram_dead.db")


def default_folder(*service: str) -> str:
    """Name the folder of a service among this machine's temporary ones, for this user alone.

    Args:
        service: Identifies the service on this machine; nothing secret.
    """
    digest = hashlib.sha256("\n".join(service).encode()).hexdigest()[:12]
    return str(Path(tempfile.gettempdir()) / f"connections-metrics-{os.getuid()}-{digest}")


def prepare(path: str) -> Path:
    """Create the folder, clear it where no process lives that has written to it, and name it to
    prometheus-client and to the processes that this one starts.

    Raises:
        ValueError: It can't be made or written to, or it is somebody else's.
    """
    folder = Path(path)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_a_trap(folder)
        with alone_in(folder):
            _begin_anew(folder)
    except OSError as error:
        raise ValueError from error
    os.environ[VARIABLE] = path
    return folder


def _refuse_a_trap(folder: Path) -> None:
    """Refuse a folder that somebody else has laid out, with links to files of ours in it."""
    found = folder.lstat()
    is_ours = found.st_uid in {0, os.getuid()} and not found.st_mode & stat.S_IWOTH
    if not is_ours or not stat.S_ISDIR(found.st_mode):
        raise PermissionError


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other threads and processes from cleaning up at the same time."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def left_by_the_dead(folder: Path) -> list[tuple[Path, str]]:
    """List the files of processes that have ended, each with the kind of what is in it."""
    return [(path, kind) for path, kind, pid in _files(folder) if not _is_alive(pid)]


def kept_in(folder: Path) -> list[Path]:
    """List the files of metrics. The folder may hold others, such as a database of that ending."""
    sums = [folder / name for name in _SUMS]
    return [path for path, _, _ in _files(folder)] + [path for path in sums if path.exists()]


def _begin_anew(folder: Path) -> None:
    if any(_is_alive(pid) for _, _, pid in _files(folder)):
        return
    for path in kept_in(folder):
        path.unlink()


def _files(folder: Path) -> list[tuple[Path, str, int]]:
    matches = [(path, _FILE.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    return [(path, match["kind"], int(match["pid"])) for path, match in matches if match]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # It lives, as somebody else.
    return True
