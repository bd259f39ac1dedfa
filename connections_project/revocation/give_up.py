"""Give up revocations whose time is over and that get no last try: tokens aren't kept for ever.

Once its time is over a job is due for a last time, and given up by the try that fails then
(`tries.py`); so none is untried because nobody has worked. This ends what can't be tried any more.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from audit.events import Interface
from connections_project.core import clock
from connections_project.core.jobs.circuit import left_alone
from connections_project.core.jobs.claim import locked_rows
from connections_project.core.jobs.lease import not_leased
from connections_project.revocation.attempts import end, record_ends
from connections_project.revocation.models import Circuit, JobState, RevocationJob

BATCH = 500
# However short a life is, passes have so long to try what they have found.
SHORTEST_PATIENCE = timedelta(minutes=10)
# Between two waits of an open circuit lies a probe, which is begun and answered within this; and
# a job that is over is found within it, where anybody works.
LONGEST_PROBE = timedelta(minutes=1)


def give_up(*, interface: Interface) -> int:
    """Have jobs tried for a last time whose time is over, and abandon those that can't be.

    Such are jobs whose platform was left alone as their time ended just now, since it fails again
    and again. All others are kept for their last try, for as long again as they had.

    Returns:
        How many were abandoned.
    """
    now = clock.now()
    over = RevocationJob.pending().filter(not_leased(), created_at__lt=now - _life())
    over = over.order_by("created_at").defer("sealed_tokens")
    # Whoever finds a job first makes it due, so `due_at` says when that was.
    new = over.filter(Q(due_at__lte=_end()) | Q(due_at__gt=now))
    waited = now - max(_life(), SHORTEST_PATIENCE)
    tried_by_nobody = over.filter(due_at__gt=_end(), due_at__lt=waited)
    just_over = new.filter(created_at__gte=now - _life() - LONGEST_PROBE)
    number = _abandon(just_over.filter(_platform_is_down()), interface)
    _make_due(new, now)
    return number + _abandon(tried_by_nobody, interface)


def _platform_is_down() -> Exists:
    """Return the condition of jobs whose platform's circuit was open as their time ended."""
    is_open = left_alone(OuterRef("created_at") + _life() - LONGEST_PROBE)
    return Exists(Circuit.objects.filter(is_open, platform=OuterRef("platform")))


def _abandon(rows: QuerySet[RevocationJob], interface: Interface) -> int:
    total = 0
    while number := _abandon_some(rows, interface):
        total += number
    return total


def _abandon_some(rows: QuerySet[RevocationJob], interface: Interface) -> int:
    with transaction.atomic():
        # The tokens themselves are not even read.
        jobs = locked_rows(rows, BATCH)
        end(RevocationJob.objects.filter(pk__in=[job.pk for job in jobs]), JobState.ABANDONED)
        record_ends(jobs, JobState.ABANDONED, interface=interface)
    return len(jobs)


def _make_due(new: QuerySet[RevocationJob], now: datetime) -> None:
    rest = new
    while jobs := _made_due(rest, now):
        # Those before are not looked through again.
        rest = new.filter(created_at__gte=jobs[-1].created_at)


def _made_due(rows: QuerySet[RevocationJob], now: datetime) -> list[RevocationJob]:
    with transaction.atomic():
        jobs = locked_rows(rows, BATCH)
        RevocationJob.objects.filter(pk__in=[job.pk for job in jobs]).update(due_at=now)
    return jobs


def _end() -> Combinable:
    return F("created_at") + _life()


def _life() -> timedelta:
    return timedelta(seconds=settings.REVOCATION_GIVE_UP_SECONDS)
