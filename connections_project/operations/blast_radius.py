"""What a forced disconnect would touch, before anybody confirms it."""

from connections_project.operations.plans import BlastRadius
from connections_project.operations.targets import Selection


def blast_radius(
    app: str, selection: Selection, *, revoke: bool = True, erase_tokens: bool = False
) -> BlastRadius:
    """Count what a forced disconnect would touch, in a constant number of queries.

    Args:
        app: "providers", "channels" or "social".
        selection: Connections of that app, or their ids; those that are over don't count.
        revoke: False where the platforms are not to be told.
        erase_tokens: Also count disconnected social accounts whose tokens were kept.
    """
    raise NotImplementedError
