"""Forced disconnects in the background: freeze what was shown, start what was confirmed."""

from audit.record import Origin
from connections_project.operations.models import BulkJob
from connections_project.operations.plans import Options
from connections_project.operations.targets import Selection


def freeze(app: str, selection: Selection, *, origin: Origin) -> BulkJob:
    """Write down which connections are about to be confirmed.

    The job does nothing before `start`; one that nobody starts within a day is swept away.

    Args:
        app: "providers", "channels" or "social".
        selection: Connections of that app, or their ids. Those that are over are left out.
        origin: Who asks, and whose permission is looked at again before each batch.
    """
    raise NotImplementedError


def start(job: BulkJob, options: Options) -> BulkJob:
    """Have the frozen connections ended by whoever works off jobs, from the next commit on.

    Raises:
        AlreadyStartedError: Somebody has confirmed it before.
    """
    raise NotImplementedError


class AlreadyStartedError(Exception):
    """A frozen selection is confirmed once."""
