"""Seal the audit log: digest what was committed, chain it, sign it, and say so outside as well.

Events are found as those that no seal has yet, never by counting on from the last one. The log's
own inserts know nothing of this: a chain that each event had to append to would line them all up.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from uuid import UUID

from django.db import transaction

from audit import checkpoints, horizon, merkle, statements, timestamps
from audit.digests import DigestedEvent, digested
from audit.models import Seal, SealedEvent
from audit.readable import UnreadableEventError
from audit.unsealed import Window, windows
from connections_project.core import clock
from connections_project.core.documents import insert_rows
from connections_project.core.ids import first_uuid7, uuid7
from connections_project.core.periodic import stopping

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


def seal_recent() -> int:
    """Seal what has come since the last seal; once a day, also what is left from any time.

    Returns:
        How many events were sealed.
    """
    last = Seal.objects.order_by("-number").first()
    if last is None:
        return _count(seal_all())
    recent = _count(seal_all(after=first_uuid7(last.complete_until - CLOCKS_DIFFER_BY)))
    return recent + (_count(seal_all()) if _is_of_another_day(last) else 0)


def seal_all(*, after: UUID | None = None) -> Iterator[Seal]:
    """Seal every committed event, a thousand to a seal, each seal a transaction of its own.

    Any number of these may run at once, on any number of hosts; it can be stopped at any time.

    Args:
        after: Only events that come after this identifier; None looks at all.

    Yields:
        Each seal, when it is committed and its checkpoint is written.

    Raises:
        UnreadableEventError: All others are sealed; those that can't be read stay without a seal.
    """
    # What a sealer that died between its commit and this has left undone.
    checkpoints.publish()
    # Before anything is read: what commits between two reads must not count as seen.
    until = _complete_until()
    unreadable: set[UUID] = set()
    for window in windows(after):
        while seal := _seal_next(window, until, unreadable):
            logger.info(
                "Sealed %d audit events: seal %d, head %s", seal.size, seal.number, seal.head
            )
            checkpoints.publish()
            yield seal
            if seal.size < BATCH:
                break
            window = replace(window, after=_last_of(seal))
    # After all that is to be sealed, since an authority may be slow.
    timestamps.timestamp_last()
    if unreadable:
        raise UnreadableEventError(sorted(unreadable))


def _count(seals: Iterable[Seal]) -> int:
    """Seal until there is nothing left, or this process is to end; the next one goes on."""
    events = 0
    try:
        for seal in takewhile(lambda _: not stopping.is_set(), seals):
            events += seal.size
    except UnreadableEventError as error:
        logger.error("%s", error)  # noqa: TRY400 - where it was found says nothing.
    return events


def _complete_until() -> datetime:
    with transaction.atomic(using=horizon.database().alias):
        return horizon.complete_until()


def _last_of(seal: Seal) -> UUID:
    last: UUID = seal.members.values_list("event_id", flat=True).get(position=seal.size - 1)
    return last


def _seal_next(window: Window, until: datetime, unreadable: set[UUID]) -> Seal | None:
    with transaction.atomic(using=horizon.database().alias):
        _wait_for_other_sealers()
        last = Seal.objects.order_by("-number").first()
        # One more than is taken shows whether anything would be left behind.
        found = _readable(window, unreadable)[: BATCH + 1]
        is_end = window.until is None and len(found) <= BATCH
        if not found and not (is_end and _is_silent(last)):
            return None
        return _add(last, found[:BATCH], complete_until=until if is_end else THE_BEGINNING)


def _readable(window: Window, unreadable: set[UUID]) -> list[DigestedEvent]:
    """Return the next events, more than a seal takes where there are as many.

    Args:
        unreadable: Gets those that are passed over.
    """
    readable: list[DigestedEvent] = []
    while True:
        found = digested(window.unsealed()[: BATCH + 1])
        readable += [event for event in found if event.digest]
        unreadable.update(event.event_id for event in found if not event.digest)
        if len(found) <= BATCH or len(readable) > BATCH:
            return readable
        window = replace(window, after=found[-1].event_id)


def _wait_for_other_sealers() -> None:
    """Lock out other sealers; SQLite's write transaction does so by itself."""
    connection = horizon.database()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _is_silent(last: Seal | None) -> bool:
    if last is None:
        return False
    return _is_of_another_day(last) or clock.now() - last.sealed_at > LONGEST_SILENCE


def _is_of_another_day(seal: Seal) -> bool:
    return seal.sealed_at.date() != clock.now().date()


def _add(last: Seal | None, events: list[DigestedEvent], *, complete_until: datetime) -> Seal:
    before = last.complete_until if last else THE_BEGINNING
    seal = Seal(
        number=last.number + 1 if last else 1,
        log=last.log if last else uuid7(),
        previous=last.head if last else statements.NO_PREDECESSOR,
        root=merkle.root([event.digest for event in events]).hex(),
        size=len(events),
        sealed_at=clock.now(),
        complete_until=max(before, complete_until),
    )
    _sign(seal)
    seal.save(force_insert=True)
    insert_rows(
        SealedEvent,
        [
            {"event_id": event_id, "seal_id": seal.pk, "position": position, "digest": digest}
            for position, (event_id, _, digest) in enumerate(events)
        ],
    )
    return seal


def _sign(seal: Seal) -> None:
    signed = statements.sign(statements.of_seal(seal), statements.signing_key())
    seal.key_id, seal.signature = signed["kid"], signed["signature"]
    seal.head = statements.head(signed)
