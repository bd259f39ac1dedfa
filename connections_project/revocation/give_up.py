"""Give up revocations whose time is over and that get no last try: tokens aren't kept for ever.

Once its time is over a job is due for a last time, and given up by the try that fails then
(`tries.py`); so none is untried because nobody has worked. This ends what can't be tried any more.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable

from audit.events import Interface
from connections_project.core import clock
from connections_project.core.jobs.circuit import left_alone
from connections_project.core.jobs.claim import locked_rows
from connections_project.core.jobs.lease import not_leased
from connections_project.revocation.attempts import end, record_ends
from connections_project.revocation.models import Circuit, JobState, RevocationJob

BATCH = 500
# Whatever is found later than so long after its time was left alone before that.
FOUND_IN_TIME = timedelta(minutes=10)


def give_up(*, interface: Interface) -> int:
    """Have jobs tried for a last time whose time is over, and abandon those that can't be.

    Such are jobs whose platform is left alone now, since it fails again and again; but after a gap
    in which nobody worked they get a last try, within as long again as they had.

    Returns:
        How many were abandoned.
    """
    now, total = clock.now(), 0
    _make_due(now)
    while number := _give_up_some(now, interface):
        total += number
    return total


def _make_due(now: datetime) -> None:
    """Make jobs due that are found for the first time; `due_at` keeps when that was."""
    new = _past_their_time(now).filter(Q(due_at__lte=_ends()) | Q(due_at__gt=now))
    new = new.order_by("created_at").defer("sealed_tokens")
    rest = new
    while jobs := _made_due(rest, now):
        # Those before are not looked through again.
        rest = new.filter(created_at__gte=jobs[-1].created_at)


def _made_due(rows: QuerySet[RevocationJob], now: datetime) -> list[RevocationJob]:
    with transaction.atomic():
        jobs = locked_rows(rows, BATCH)
        RevocationJob.objects.filter(pk__in=[job.pk for job in jobs]).update(due_at=now)
    return jobs


def _give_up_some(now: datetime, interface: Interface) -> int:
    found_in_time = Q(due_at__lte=_ends() + FOUND_IN_TIME)
    down = Circuit.objects.filter(left_alone(now)).values("platform")
    # However short a life is, a pass that others share has time to try them.
    long_ago = Q(due_at__lt=now - max(_life(), FOUND_IN_TIME))
    over = _past_their_time(now).filter(due_at__gt=_ends())
    old = over.filter(long_ago | (found_in_time & Q(platform__in=down)))
    with transaction.atomic():
        # The tokens themselves are not even read.
        jobs = locked_rows(old.order_by("created_at").defer("sealed_tokens"), BATCH)
        end(RevocationJob.objects.filter(pk__in=[job.pk for job in jobs]), JobState.ABANDONED)
        record_ends(jobs, JobState.ABANDONED, interface=interface)
    return len(jobs)


def _past_their_time(now: datetime) -> QuerySet[RevocationJob]:
    return RevocationJob.pending().filter(not_leased(), created_at__lt=now - _life())


def _ends() -> Combinable:
    return F("created_at") + _life()


def _life() -> timedelta:
    return timedelta(seconds=settings.REVOCATION_GIVE_UP_SECONDS)
