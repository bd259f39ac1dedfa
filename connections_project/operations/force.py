"""End connections by force: one or a hundred thousand, batch by batch."""

from collections.abc import Callable, Mapping
from typing import Any

from audit.record import Origin
from connections_project.operations.plans import Options, Result
from connections_project.operations.targets import Selection

BATCH = 1000


def force_disconnect(
    app: str,
    selection: Selection,
    options: Options,
    *,
    origin: Origin,
    details: Mapping[str, Any] | None = None,
    batch_size: int = BATCH,
    on_batch: Callable[[Result], object] | None = None,
) -> Result:
    """End connections for good; each batch is a commit of its own, and what is over is passed over.

    A row that can't be ended is named and leaves the others alone. The platforms are told after
    the commits, as after any disconnect.

    Args:
        app: "providers", "channels" or "social".
        selection: Connections of that app, or their ids; they are frozen at the start.
        options: Why and how.
        origin: Who does it, for the audit: `admin_origin(request)` or `command_origin(operator)`.
            That one's permission is the caller's to look at (`may_force_disconnect`).
        details: What else the audit should know, such as the operating system's user.
        batch_size: Connections in one transaction.
        on_batch: Told of each batch after its commit, for a progress bar.
    """
    raise NotImplementedError
