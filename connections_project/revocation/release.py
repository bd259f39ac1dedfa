"""Release grants: decide whether tokens must be revoked at the platform, and enqueue that."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from uuid import UUID

from audit.record import Origin
from connections_project.core import clock
from connections_project.core.vault import Sealed
from connections_project.middleware.tracing import current_trace_id
from connections_project.platforms.adapter import has_extras
from connections_project.platforms.registry import Upstream, upstream
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.grants import (
    Grant,
    clients_with_holders,
    has_holders,
    holders_of,
    remove_holders,
)
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.move_tokens import Leaving as Leaving
from connections_project.revocation.move_tokens import move_tokens


class Decision(StrEnum):
    """What was decided about telling the platform; audit details and receipts carry it."""

    PENDING = "pending"
    NOT_SUPPORTED = "not_supported"
    SHARED_GRANT = "shared_grant"
    NOT_REQUESTED = "not_requested"


@dataclass(frozen=True)
class TokenBundle:
    """A connection's tokens, sealed, and the grant they come from; the time is the access token's
    end. Of sealed ones nobody knows whether anything came beside them; it may also be all."""

    app: str
    platform_slug: str
    connection_id: UUID
    owner_id: UUID
    grant: Grant
    sealed: Sealed | None
    token_expires_at: datetime | None = None
    may_have_extras: bool = True
    is_extras_only: bool = False


@dataclass(frozen=True)
class Released:
    """What was decided for each connection, and the jobs that came of it."""

    decisions: Mapping[UUID, Decision]
    job_ids: tuple[UUID, ...]


def release_grants(
    leaving: Sequence[Leaving], *, revoke: bool = True, shared: Collection[UUID] = ()
) -> Released:
    """Remove connections as holders of their grants, and enqueue the revocations due.

    Must stand in the transaction that ends the connections, before their tokens are erased; the
    caller has locked them, and dispatches the jobs. The sealed tokens are moved within the
    database, unopened. Of several on one grant that nobody else stays on, exactly one is revoked.
    What came beside the tokens of the others is revoked all the same.

    Args:
        leaving: The connections, of one app.
        revoke: False where nothing is to be revoked at the platforms.
        shared: Those whose very tokens another connection lives on, or is revoked with.
    """
    beside_others = _on_shared_grants(leaving) if revoke else frozenset()
    platforms = {slug: upstream(slug) for slug in {one.platform_slug for one in leaving}}
    decisions = {
        one.pk: Decision.SHARED_GRANT
        if one.pk in shared
        else decide(
            platforms[one.platform_slug],
            asked=revoke and one.holds_tokens,
            is_shared=partial(beside_others.__contains__, one.pk),
        )
        for one in leaving
    }
    remove_holders(*decisions)
    pending = [one for one in leaving if decisions[one.pk] is Decision.PENDING]
    done = {*shared, *(one.pk for one in pending)}
    others = [one for one in leaving if one.pk not in done] if revoke else []
    return Released(decisions, move_tokens(pending) + revoke_extras(others))


def revoke_extras(leaving: Sequence[Leaving]) -> tuple[UUID, ...]:
    """Enqueue the end of what came beside tokens that are dropped without a revocation.

    A webhook, for one, is each connection's own, whatever becomes of the grant. Must stand in the
    transaction that drops the tokens, before that; the caller dispatches the jobs.
    """
    slugs = {slug for slug in {one.platform_slug for one in leaving} if has_extras(slug)}
    own = [one for one in leaving if one.platform_slug in slugs and one.holds_tokens]
    return move_tokens(own, extras_only=True)


def foresee(leaving: Leaving) -> Decision:
    """Return what `release_grants` would decide for one connection now; nothing is changed.

    Must stand in a transaction.
    """
    return decide(
        upstream(leaving.platform_slug),
        asked=leaving.holds_tokens,
        is_shared=lambda: leaving.pk in _on_shared_grants([leaving]),
    )


def revoke_unstored(bundle: TokenBundle, *, origin: Origin) -> Decision:
    """Get rid of tokens that came too late or belong to nobody.

    The connection's own hold stays and counts: where it lives on the same grant, revoking would
    end it.
    """
    decision = decide(
        upstream(bundle.platform_slug),
        asked=bundle.sealed is not None and not bundle.is_extras_only,
        is_shared=lambda: has_holders(bundle.grant, lock=True),
    )
    if decision is Decision.PENDING:
        _enqueue_revocation(bundle, origin=origin)
    else:
        revoke_unstored_extras(bundle, origin=origin)
    return decision


def revoke_unstored_extras(bundle: TokenBundle, *, origin: Origin) -> None:
    """Get rid of what came beside such tokens, which themselves are left alone."""
    known = bundle.sealed is not None and bundle.may_have_extras
    if known and has_extras(bundle.platform_slug):
        _enqueue_revocation(bundle, origin=origin, extras_only=True)


def decide(found: Upstream | None, *, asked: bool, is_shared: Callable[[], bool]) -> Decision:
    """Decide whether a grant is to be revoked at the platform (docs/api.md, "Revocation").

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


def _enqueue_revocation(bundle: TokenBundle, *, origin: Origin, extras_only: bool = False) -> None:
    now = clock.now()
    job = RevocationJob.objects.create(
        app=bundle.app,
        platform=bundle.platform_slug,
        connection_id=bundle.connection_id,
        owner_id=bundle.owner_id,
        authority=bundle.grant.authority,
        client_id=bundle.grant.client_id,
        platform_user_id=bundle.grant.platform_user_id,
        sealed_tokens=bundle.sealed,
        extras_only=extras_only,
        replaced_or_late=True,
        token_expires_at=bundle.token_expires_at,
        created_at=now,
        due_at=now,
        trace_id=current_trace_id(),
    )
    dispatch_revocations([job.id], interface=origin.interface)


def _on_shared_grants(leaving: Sequence[Leaving]) -> frozenset[UUID]:
    """Find those whose revocation would end, or be done by that of, another connection's grant."""
    slugs = {one.platform_slug for one in leaving}
    delicate = {slug for slug in slugs if ends_the_grant(upstream(slug))}
    asked = [one for one in leaving if one.holds_tokens and one.platform_slug in delicate]
    everybody = frozenset(one.pk for one in leaving)
    known = [one for one in asked if one.grant.platform_user_id is not None]
    unknown = [one for one in asked if one.grant.platform_user_id is None]
    return _one_per_free_grant(known, everybody) | _with_unknown_siblings(unknown, everybody)


def _one_per_free_grant(known: Sequence[Leaving], everybody: Collection[UUID]) -> frozenset[UUID]:
    """Return one for each grant without a holder left: the youngest that was alive on it."""
    holders = holders_of({one.grant for one in known})
    together = defaultdict(list)
    for one in known:
        together[one.grant].append(one.pk)
    shared: set[UUID] = set()
    for grant, ids in together.items():
        alive = holders.get(grant, frozenset())
        shared |= set(ids)
        if alive.issubset(everybody):
            shared.discard(max(ids, key=lambda one: (one in alive, one)))
    return frozenset(shared)


def _with_unknown_siblings(
    unknown: Sequence[Leaving], everybody: Collection[UUID]
) -> frozenset[UUID]:
    """Nobody knows whose these grants are, so any holder of our client may be a sibling."""
    if not unknown:
        return frozenset()
    clients = {(one.grant.authority, one.grant.client_id) for one in unknown}
    in_use = clients_with_holders(clients, besides=everybody)
    return frozenset(
        one.pk for one in unknown if (one.grant.authority, one.grant.client_id) in in_use
    )
