"""What says which events are gone into archives, believed as far as its signature goes.

Any session of the service's own role may add a row: the triggers only keep what is there.
"""

from collections.abc import Iterator

from audit import statements
from audit.models import Archive
from audit.statements import signature_problem
from connections_project.core.signing import Keys


def with_problems(keys: Keys) -> Iterator[tuple[Archive, str]]:
    """Yield all archives in the order of the log, each with what is wrong with its signature."""
    for archive in Archive.objects.order_by("pk"):
        yield archive, signature_problem(statements.signed_archive(archive), keys)


def last_signed() -> Archive | None:
    """Return the last archive that we have signed; None where there is none."""
    signed = [one for one, problem in with_problems(statements.known_keys()) if not problem]
    return signed[-1] if signed else None
