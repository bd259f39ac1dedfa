"""Compare the audit log with the checkpoints that were written outside the database."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from audit.models import Seal
from audit.verify import Finding, Kind, signature_problem
from connections_project.core.signing import Keys

_AT_ONCE = 500


def findings(
    checkpoints: Iterable[dict[str, Any]], *, keys: Keys, only_this_log: bool
) -> Iterator[Finding]:
    """Yield what the database no longer has as it was written outside.

    Args:
        heads: Signed seals, as `audit.checkpoints.read` gives them.
        keys: The public keys that they may be signed with.
        only_this_log: Pass over those of other logs, as in a file that several databases had.
    """
    remaining = iter(checkpoints)
    while some := list(islice(remaining, _AT_ONCE)):
        kept = Seal.objects.in_bulk([signed["number"] for signed in some])
        first = Seal.objects.order_by("pk").first()
        log = str(first.log) if first else None
        for signed in some:
            if only_this_log and signed.get("log") != log:
                continue
            yield from _compared(signed, kept.get(signed["number"]), keys)


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
