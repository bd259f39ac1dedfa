"""The seals as checkpoints outside the database, in an append-only file of JSON Lines.

Whoever may change the database could cut its tail off, or seal it anew if he had the key too; what
was written elsewhere shows it. Each line is a signed seal, as the database has it. The sealer's
host should send the file, or the log lines that say the same, to where its operators can't write.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings

from audit.models import Seal
from audit.statements import signed_seal
from connections_project.core.instruments import CHECKPOINT_FAILURES

logger = logging.getLogger(__name__)

# More than any line is long.
_TAIL = 4096
_LARGEST = 2**63 - 1


def publish() -> bool:
    """Append every seal that the file has not yet. One that can't be written to is an alarm.

    Returns:
        Whether the file has every seal, and no more than there are.
    """
    path = Path(settings.AUDIT_HEADS_FILE)
    first = Seal.objects.order_by("number").first()
    if first is None:
        return True
    try:
        with _locked_file(path) as file:
            written = _last_number(file, first.log)
            # Asked once the file is read: what others have written there was committed before.
            found = list(Seal.objects.filter(number__gte=written).order_by("number"))
            _append(file, [seal for seal in found if seal.number > written])
    except OSError as error:
        CHECKPOINT_FAILURES.labels("unwritable").inc()
        logger.error("The audit log's checkpoints can't be written to %s: %s", path, error.strerror)  # noqa: TRY400 (What went wrong is the operating system's; a traceback adds nothing.)
        return False
    if not found:
        CHECKPOINT_FAILURES.labels("cut_off").inc()
        last = Seal.objects.order_by("-number").first() or first
        logger.error("The audit log was cut off: it ends with seal %d, and %s knows seal %d.",
                     last.number, path, written)  # fmt: skip
    return bool(found)


def read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Return the signed seals of a checkpoint file, without a line that a crash cut off.

    Nothing is lost by that: the next sealer writes the same seal again.
    """
    for line in lines:
        try:
            signed = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(signed, dict) and _is_number(signed.get("number")):
            yield signed


def _is_number(value: Any) -> bool:
    """Whether it can be a seal's: a bool is an int to Python, and no column takes any number."""
    return isinstance(value, int) and value is not True and 0 < value <= _LARGEST


@contextmanager
def _locked_file(path: Path) -> Iterator[IO[bytes]]:
    """Open the file for appending, as the only process of this host that does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _append(file: IO[bytes], seals: Iterable[Seal]) -> None:
    lines = [json.dumps(signed_seal(seal)).encode() + b"\n" for seal in seals]
    if not lines:
        return
    # A line that was torn by a crash must not take the next one along.
    torn = b"\n" if _tail(file)[-1:] not in {b"", b"\n"} else b""
    file.write(torn + b"".join(lines))
    file.flush()
    os.fsync(file.fileno())


def _last_number(file: IO[bytes], log: UUID) -> int:
    """Return the number of this log's last seal in the file; 0 where there is none."""
    last = list(read(_tail(file).decode(errors="replace").splitlines()))[-1:]
    if not last or last[0].get("log") != str(log):
        # Another log's, torn, or empty: look at all of it, which is rare.
        file.seek(0)
        last = [one for one in read(map(_text, file)) if one.get("log") == str(log)]
    return max((int(one["number"]) for one in last), default=0)


def _text(line: bytes) -> str:
    return line.decode(errors="replace")


def _tail(file: IO[bytes]) -> bytes:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - _TAIL, 0))
    return file.read()
