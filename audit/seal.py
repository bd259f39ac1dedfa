"""Seal the audit log: digest what was committed, chain it, sign it, and say so outside as well.

Events are found as those that no seal has yet, never by counting on from the last one. The log's
own inserts know nothing of this: a chain that each event had to append to would line them all up.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import heads, horizon, merkle, statements
from audit.canonical import FIELDS, canonical, event_as_json
from audit.models import AuditEvent, Seal, SealedEvent
from connections_project.identifiers import uuid7

logger = logging.getLogger(__name__)

BATCH = 1000
# A seal without events says that there were none: what claims to be from before it came later.
LONGEST_SILENCE = timedelta(hours=1)
# The identifier bears the clock of the host that made it, which may be off by far more than this
# should ever be; once a day everything is looked at.
CLOCKS_DIFFER_BY = timedelta(minutes=15)
THE_BEGINNING = datetime.fromtimestamp(0, UTC)
# Any number that nobody else locks: PostgreSQL keeps these locks by number alone.
_LOCK = 0x5EA1


def unsealed(since: UUID | None = None) -> QuerySet[AuditEvent]:
    """Find the events that no seal has.

    Args:
        since: Only from this identifier on; None looks at all.
    """
    events = AuditEvent.objects.filter(sealed=None)
    return events if since is None else events.filter(pk__gte=since)


def seal_recent() -> int:
    """Seal what has come since the last seal; once a day, whatever is left from any time.

    Returns:
        How many events were sealed.
    """
    last = Seal.objects.order_by("-number").first()
    return sum(seal.size for seal in seal_all(since=_look_from(last)))


def seal_all(*, since: UUID | None = None) -> Iterator[Seal]:
    """Seal every committed event, a thousand to a seal, each seal a transaction of its own.

    Any number of these may run at once, on any number of hosts; it can be stopped at any time.

    Args:
        since: As for `unsealed`.

    Yields:
        Each seal, when it is committed and its head has been written outside.
    """
    # What a sealer that died between its commit and this has left undone.
    heads.publish()
    while seal := _seal_next(since):
        logger.info("Sealed %d audit events: seal %d, head %s", seal.size, seal.number, seal.head)
        heads.publish()
        yield seal
        if seal.size < BATCH:
            break


def _look_from(last: Seal | None) -> UUID | None:
    """Give the identifier from which on events may be unsealed, in the ordinary case."""
    if last is None or _is_of_another_day(last):
        return None
    return first_identifier(last.complete_until - CLOCKS_DIFFER_BY)


def first_identifier(moment: datetime) -> UUID:
    """Give the lowest identifier that can be made at a moment (RFC 9562, section 5.7)."""
    milliseconds = max(int(moment.timestamp() * 1000), 0)
    return UUID(int=milliseconds << 80)


def _seal_next(since: UUID | None) -> Seal | None:
    with transaction.atomic(using=horizon.database().alias):
        _wait_for_other_sealers()
        last = Seal.objects.order_by("-number").first()
        moment = horizon.complete_until()
        events = list(unsealed(since).order_by("pk").values(*FIELDS)[:BATCH])
        if not events and not _is_silent(last):
            return None
        return _add(last, events, moment)


def _wait_for_other_sealers() -> None:
    """Let one seal at a time; SQLite's write transaction does so by itself."""
    connection = horizon.database()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _is_silent(last: Seal | None) -> bool:
    if last is None:
        return False
    return _is_of_another_day(last) or timezone.now() - last.sealed_at > LONGEST_SILENCE


def _is_of_another_day(seal: Seal) -> bool:
    return seal.sealed_at.date() != timezone.now().date()


def _add(last: Seal | None, events: list[dict[str, Any]], moment: datetime) -> Seal:
    leaves = [merkle.leaf(canonical(event_as_json(event))) for event in events]
    before = last.complete_until if last else THE_BEGINNING
    seal = Seal(
        number=last.number + 1 if last else 1,
        log=last.log if last else uuid7(),
        previous=last.head if last else statements.NO_PREDECESSOR,
        root=merkle.root(leaves).hex(),
        size=len(events),
        sealed_at=timezone.now(),
        # A full batch may have left events behind.
        complete_until=before if len(events) == BATCH else max(before, moment),
    )
    _sign(seal)
    seal.save(force_insert=True)
    SealedEvent.objects.bulk_create(
        SealedEvent(event_id=event["id"], seal=seal, position=position, digest=digest)
        for position, (event, digest) in enumerate(zip(events, leaves, strict=True))
    )
    return seal


def _sign(seal: Seal) -> None:
    signed = statements.sign(statements.of_seal(seal), statements.signing_key())
    seal.key_id, seal.signature = signed["kid"], signed["signature"]
    seal.head = statements.head(signed)
