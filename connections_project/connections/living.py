"""Which tokens living connections have: the revoker spares those, whatever they came for."""

from collections.abc import Iterator
from uuid import UUID

from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import ConnectionType, Rows, connection_types
from connections_project.core.vault import DecryptionError
from connections_project.oauth.client import TokenSet
from connections_project.revocation.grants import Grant, holders_by_app
from connections_project.revocation.models import RevocationJob

# Rows that are read at a time: a person has a few, and a team may have any number.
PIECE = 1_000


def living_tokens(job: RevocationJob) -> Iterator[tuple[UUID, TokenSet | None]]:
    """Yield the tokens of the living connections on a job's grant, whoever owns them.

    Where nobody knows who gave it, they are those of the owner at its platform. Most of these are
    on other grants: those that no key reads are passed over, but for the job's own connection.

    Yields:
        A connection's id, and its tokens; None where no key reads them.
    """
    for row in (row for rows in _living(job) for row in _in_pieces(rows)):
        own = _opened(row)
        if own or job.platform_user_id is not None or row.pk == job.connection_id:
            yield row.pk, own


def _living(job: RevocationJob) -> list[Rows]:
    """Return the rows of each app that is still installed: of another nothing can be read."""
    if job.platform_user_id is None:
        return [_owners(job, one) for one in connection_types() if one.app == job.app]
    holders = holders_by_app(Grant(job.authority, job.client_id, job.platform_user_id))
    types = [one for one in connection_types() if one.app in holders]
    return [_usable(one).filter(pk__any_of=holders[one.app]) for one in types]


def _owners(job: RevocationJob, one: ConnectionType) -> Rows:
    own = {one.model.owner_column: job.owner_id, one.model.platform_column: job.platform}
    return _usable(one).filter(**own)


def _in_pieces(rows: Rows) -> Iterator[OAuthConnection]:
    """Read all, newest first, of which only a piece is held at a time."""
    rest = rows.order_by("-pk")
    while piece := [*rest[:PIECE]]:
        yield from piece
        if len(piece) < PIECE:
            return
        rest = rest.filter(pk__lt=piece[-1].pk)


def _usable(one: ConnectionType) -> Rows:
    rules = one.refresh_rules
    statuses = {rules.live, *rules.refreshable}
    # Each revocation asks for them, so that the other columns would cost a worker a third more.
    return one.rows.filter(status__in=statuses, auth_state__isnull=False).only("auth_state")


def _opened(row: OAuthConnection) -> TokenSet | None:
    try:
        return row.opened()
    except DecryptionError:
        return None
