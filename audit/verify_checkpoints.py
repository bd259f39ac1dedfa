"""Compare the audit log with the checkpoints that were written outside the database."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from audit.models import Seal
from audit.statements import signature_problem
from audit.verify import Finding, Kind
from connections_project.core.signing import Keys

_AT_ONCE = 500


def findings(checkpoints: Iterable[dict[str, Any]], *, keys: Keys) -> Iterator[Finding]:
    """Yield what the database no longer has as it was written outside.

    What stands outside is the truth: a database that was emptied, or whose log was begun anew, has
    lost what the file knows. The file is that log's whose seal comes first in it; a line of any
    other log is foreign.

    Args:
        checkpoints: Signed seals, as `audit.checkpoints.read` gives them.
        keys: The public keys that they may be signed with.
    """
    remaining, known = iter(checkpoints), ""
    while some := list(islice(remaining, _AT_ONCE)):
        known = known or _log_of(some[0])
        kept = Seal.objects.in_bulk([signed["number"] for signed in some])
        first = Seal.objects.order_by("pk").first()
        for signed in some:
            finding = _of_another_log(signed, known, str(first.log) if first else "")
            if finding is None:
                yield from _compared(signed, kept.get(signed["number"]), keys)
            else:
                yield finding


def _log_of(signed: dict[str, Any]) -> str:
    return str(signed.get("log"))


def _of_another_log(signed: dict[str, Any], known: str, ours: str) -> Finding | None:
    """Name a line that is not of the database's log, and why that is.

    Args:
        signed: The line.
        known: The log that the file is of.
        ours: The database's log; empty where it has no seal at all.
    """
    number, log = signed["number"], _log_of(signed)
    if log != known:
        words = f"Seal {number} of log {log}, as it is known outside, is a foreign log's."
        return None if log == ours else Finding(Kind.FOREIGN, words, number)
    if log == ours or not ours:
        return None
    words = (
        f"The log was begun anew: seal {number} of log {log} is known outside, and the database "
        f"has log {ours} (or the file is a foreign log's)."
    )
    return Finding(Kind.BEGUN_ANEW, words, number)


def _compared(signed: dict[str, Any], seal: Seal | None, keys: Keys) -> Iterator[Finding]:
    number = signed["number"]
    if problem := signature_problem(signed, keys):
        words = f"Seal {number}, as it is known outside, {problem}."
        yield Finding(Kind.NOT_SIGNED, words, number)
    elif seal is None:
        yield _missing(signed)
    elif (seal.key_id, seal.signature) != (signed["kid"], signed["signature"]):
        words = f"Seal {number} is known outside as another one: the log was sealed anew."
        yield Finding(Kind.SEALED_ANEW, words, number)


def _missing(signed: dict[str, Any]) -> Finding:
    number, size = signed["number"], signed["size"]
    last = Seal.objects.order_by("-pk").first()
    if last is not None and number < last.number:
        return Finding(Kind.REMOVED, f"Seal {number} was removed, with its events.", number)
    end = f"the log ends with seal {last.number}" if last else "the log has no seal left"
    words = f"The tail was cut off: seal {number} with {size} events is missing, {end}."
    return Finding(Kind.CUT_OFF, words, number)
