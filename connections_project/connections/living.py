"""Which tokens living connections have: the revoker spares those, whatever they came for."""

from collections.abc import Mapping
from uuid import UUID

from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import ConnectionType, Rows, connection_type
from connections_project.core.vault import DecryptionError
from connections_project.oauth.client import TokenSet
from connections_project.revocation.grants import Grant, holders_by_app
from connections_project.revocation.models import RevocationJob

# Of an owner's at a platform that does not say whose they are; people have a few.
MOST_LOOKED_AT = 1_000


def living_tokens(job: RevocationJob) -> Mapping[UUID, TokenSet | None]:
    """Return the tokens of the living connections on a job's grant, whoever owns them.

    Where nobody knows who gave it, they are those of the owner at its platform. Most of these are
    on other grants: those that no key reads are passed over, but for the job's own connection.

    Returns:
        The tokens by the connections' ids; None where no key reads them.
    """
    found = {row.pk: _opened(row) for rows in _living(job) for row in rows}
    if job.platform_user_id is not None:
        return found
    return {key: own for key, own in found.items() if own or key == job.connection_id}


def _living(job: RevocationJob) -> list[Rows]:
    if job.platform_user_id is None:
        return [_owners(job, connection_type(job.app))]
    holders = holders_by_app(Grant(job.authority, job.client_id, job.platform_user_id))
    return [_usable(connection_type(app)).filter(pk__any_of=ids) for app, ids in holders.items()]


def _owners(job: RevocationJob, one: ConnectionType) -> Rows:
    own = {one.model.owner_column: job.owner_id, one.model.platform_column: job.platform}
    return _usable(one).filter(**own).order_by()[:MOST_LOOKED_AT]


def _usable(one: ConnectionType) -> Rows:
    rules = one.refresh_rules
    statuses = {rules.live, *rules.refreshable}
    return one.rows.filter(status__in=statuses, auth_state__isnull=False)


def _opened(row: OAuthConnection) -> TokenSet | None:
    try:
        return row.opened()
    except DecryptionError:
        return None
