"""The end of revocation jobs that are over: what they were is in the audit log."""

import logging

from django.conf import settings

from connections_project.core import retention
from connections_project.revocation.models import RevocationJob

logger = logging.getLogger(__name__)


def forget_old_jobs() -> int:
    """Delete jobs that have been over for JOB_RETENTION_DAYS.

    Returns:
        How many.
    """
    limit = retention.expiry(settings.JOB_RETENTION_DAYS)
    if limit is None:
        return 0
    old = RevocationJob.objects.filter(finished_at__lt=limit).order_by("finished_at")
    forgotten = retention.delete(old)
    if forgotten:
        logger.info("Deleted %d revocation jobs that were over long ago", forgotten)
    return forgotten
