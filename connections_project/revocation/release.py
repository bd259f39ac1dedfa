"""Let go of a connection's tokens: decide whether the platform must be told, and owe it that."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.utils import timezone

from audit.record import Origin
from connections_project.core.vault import Sealed
from connections_project.middleware.tracing import current_trace_id
from connections_project.platforms.registry import Upstream, upstream
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.grants import Grant, has_holders, remove_holders
from connections_project.revocation.models import RevocationJob


class Decision(StrEnum):
    """What was decided about telling the platform; audit details and receipts carry it."""

    PENDING = "pending"
    NOT_SUPPORTED = "not_supported"
    SHARED_GRANT = "shared_grant"
    NOT_REQUESTED = "not_requested"


@dataclass(frozen=True)
class TokenBundle:
    """A connection's tokens, sealed, and the grant they come from."""

    app: str
    platform_slug: str
    connection_id: UUID
    owner_id: UUID
    grant: Grant
    sealed: Sealed | None


def release_grant(held: TokenBundle, *, origin: Origin, revoke: bool = True) -> Decision:
    """End a connection's hold on its grant, and owe the platform a revocation where one is due.

    Must stand in the transaction that ends the connection; the platform is told after its commit.

    Args:
        held: The tokens, which are never opened here.
        origin: Who causes it, for the audit of the attempts.
        revoke: False where an operator asked to skip the platform.
    """
    decision = _decide(held, revoke=revoke, leaving=held.connection_id)
    remove_holders(held.connection_id)
    if decision is Decision.PENDING:
        _enqueue_revocation(held, origin=origin)
    return decision


def revoke_unstored(held: TokenBundle, *, origin: Origin) -> Decision:
    """Get rid of tokens that came too late or belong to nobody.

    The connection's own hold stays and counts: where it lives on the same grant, revoking would
    end it.
    """
    decision = _decide(held, revoke=True, leaving=None)
    if decision is Decision.PENDING:
        _enqueue_revocation(held, origin=origin)
    return decision


def _decide(held: TokenBundle, *, revoke: bool, leaving: UUID | None) -> Decision:
    return decide(
        upstream(held.platform_slug),
        asked=revoke and held.sealed is not None,
        is_shared=lambda: has_holders(held.grant, besides=leaving, lock=True),
    )


def decide(found: Upstream | None, *, asked: bool, is_shared: Callable[[], bool]) -> Decision:
    """Decide whether a platform is owed a revocation (docs/api.md, "Revocation").

    Args:
        found: The platform; None for one that has left the catalogue.
        asked: Whether there are tokens to revoke, and nobody asked to skip the platform.
        is_shared: Says whether a live connection stays on the grant; only asked where a revocation
            would end it.
    """
    if not asked:
        return Decision.NOT_REQUESTED
    if not can_revoke(found):
        return Decision.NOT_SUPPORTED
    if ends_the_grant(found) and is_shared():
        return Decision.SHARED_GRANT
    return Decision.PENDING


def can_revoke(found: Upstream | None) -> bool:
    """Whether a revocation is sent on a disconnect: never one that would end other users'."""
    revocation = found.platform.revocation if found else None
    return revocation is not None and revocation.blast_radius != "client"


def ends_the_grant(found: Upstream | None) -> bool:
    """Whether revoking one token ends the siblings on its grant."""
    revocation = found.platform.revocation if found else None
    return revocation is not None and revocation.blast_radius == "grant"


def _enqueue_revocation(held: TokenBundle, *, origin: Origin) -> None:
    now = timezone.now()
    job = RevocationJob.objects.create(
        app=held.app,
        platform=held.platform_slug,
        connection_id=held.connection_id,
        owner_id=held.owner_id,
        authority=held.grant.authority,
        client_id=held.grant.client_id,
        platform_user_id=held.grant.platform_user_id,
        sealed_tokens=held.sealed,
        created_at=now,
        due_at=now,
        trace_id=current_trace_id(),
    )
    dispatch_revocations([job.id], interface=origin.interface)
