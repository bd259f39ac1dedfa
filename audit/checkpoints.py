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
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from audit.models import Seal
from audit.statements import signed_seal
from connections_project.core.instruments import CHECKPOINT_FAILURES

logger = logging.getLogger(__name__)

# More than any line is long.
_TAIL = 4096
_LARGEST = 2**63 - 1
_WHAT_TO_DO = (
    "Nothing was appended. Keep the file and the database as they are, and look into it; where a "
    "new or restored database is in place rightly, name a new AUDIT_HEADS_FILE "
    '(docs/operating.md, "Alerts").'
)


class DisagreementError(Exception):
    """The file knows what the database has not; the text says what.

    Args:
        problem: Which kind of disagreement, as metrics have it.
    """

    def __init__(self, problem: str, text: str) -> None:
        super().__init__(text)
        self.problem = problem


def publish() -> bool:
    """Append every seal that the file has not yet. Where that can't or must not be, it alarms.

    Returns:
        Whether the file has every seal, and no more than there are.
    """
    path = Path(settings.AUDIT_HEADS_FILE)
    try:
        with _locked_file(path) as file:
            _append(file, _unwritten(file))
    except OSError as error:
        CHECKPOINT_FAILURES.labels("unwritable").inc()
        logger.error("The audit log's checkpoints can't be written to %s: %s", path, error.strerror)  # noqa: TRY400 (What went wrong is the operating system's; a traceback adds nothing.)
        return False
    except DisagreementError as error:
        CHECKPOINT_FAILURES.labels(error.problem).inc()
        logger.error("%s %s", error, _WHAT_TO_DO)  # noqa: TRY400 (What went wrong is the log's; a traceback adds nothing.)
        return False
    return True


def require_agreement() -> None:
    """Refuse a log that its file disagrees with; a file that can't be read here says nothing.

    Raises:
        DisagreementError: The file is another log's, or knows what is not left of this one.
    """
    with suppress(OSError), Path(settings.AUDIT_HEADS_FILE).open("rb") as file:
        _unwritten(file)


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


def _unwritten(file: IO[bytes]) -> list[Seal]:
    """Return the seals that come after the last one in the file.

    Raises:
        DisagreementError: The file is another log's, or knows what is not left of this one.
    """
    known = _last_known(file)
    # Asked once the file is read: what others have written there was committed before.
    seals = Seal.objects.order_by("number")
    if known is None:
        return list(seals)
    _require_same_log(file, known, seals.first())
    found = list(seals.filter(number__gte=known["number"]))
    knows = f"{file.name} knows seal {known['number']}"
    if not found:
        ends = f"it ends with seal {seals.latest('number').number}"
        raise DisagreementError("cut_off", f"The audit log was cut off: {ends}, and {knows}.")
    if found[0].signature != known.get("signature"):
        words = f"The audit log was sealed anew: {knows} as another one than the database has."
        raise DisagreementError("sealed_anew", words)
    return found[1:]


def _require_same_log(file: IO[bytes], known: dict[str, Any], first: Seal | None) -> None:
    if first and str(first.log) == known.get("log"):
        return
    outside = f"{file.name} knows seal {known['number']} of log {known.get('log')}"
    inside = f"log {first.log}" if first else "no seal"
    raise DisagreementError(
        "begun_anew",
        f"The audit log was emptied or begun anew: {outside}, and the database has {inside}.",
    )


def _last_known(file: IO[bytes]) -> dict[str, Any] | None:
    """Return the file's last seal of the log that it is of: that of its first seal."""
    file.seek(0)
    first = next(read(map(_text, file)), None)
    if first is None:
        return None
    last = list(read(_tail(file).decode(errors="replace").splitlines()))[-1:]
    if not last or last[0].get("log") != first.get("log"):
        # Another log's, or torn: look at all of it, which is rare.
        file.seek(0)
        last = [one for one in read(map(_text, file)) if one.get("log") == first.get("log")]
    return max(last, key=itemgetter("number"))


def _text(line: bytes) -> str:
    return line.decode(errors="replace")


def _tail(file: IO[bytes]) -> bytes:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - _TAIL, 0))
    return file.read()
