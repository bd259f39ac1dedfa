"""Give up revocations that failed for a whole day: their tokens must not be kept longer."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit.events import Interface
from connections_project.core import clock
from connections_project.core.jobs.claim import locked_rows
from connections_project.core.jobs.lease import not_leased
from connections_project.revocation.attempts import end, record_ends
from connections_project.revocation.models import JobState, RevocationJob

BATCH = 500


def give_up(*, interface: Interface) -> int:
    """Abandon every job that is past its age, whether or not its platform is left alone now.

    Returns:
        How many.
    """
    now, total = clock.now(), 0
    while number := _give_up_some(now, interface):
        total += number
    return total


def _give_up_some(now: datetime, interface: Interface) -> int:
    born_by = now - timedelta(seconds=settings.REVOCATION_GIVE_UP_SECONDS)
    old = RevocationJob.pending().filter(not_leased(), created_at__lte=born_by)
    with transaction.atomic():
        # The tokens themselves are not even read.
        jobs = locked_rows(old.order_by("created_at").defer("sealed_tokens"), BATCH)
        end(RevocationJob.objects.filter(pk__in=[job.pk for job in jobs]), JobState.ABANDONED)
        record_ends(jobs, JobState.ABANDONED, interface=interface)
    return len(jobs)
