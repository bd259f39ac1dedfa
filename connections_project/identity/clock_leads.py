"""By how much an issuer's clock is ahead of ours, as a principal's own tokens have shown.

None is seen before it is issued: one that comes ahead tells it, at least. Without that, what was
issued just before sessions ended would pass for what was issued after.
"""

import logging
from datetime import datetime

from django.db import OperationalError

from connections_project.core import clock
from connections_project.identity.models import User

logger = logging.getLogger(__name__)


def note_lead(user: User, issued_at: float) -> None:
    """Remember by how many seconds a principal's verified token lies ahead, if none has as far.

    Args:
        issued_at: The `iat`.
    """
    lead = issued_at - clock.now().timestamp()
    if lead <= user.clock_lead:
        return
    try:
        User.objects.filter(pk=user.pk, clock_lead__lt=lead).update(clock_lead=lead)
    except OperationalError as error:
        # While nothing can be written no sessions end either, and calls that only read go on.
        logger.warning("An issuer's lead was not kept (%s)", type(error).__name__)
    user.clock_lead = lead


def was_issued_by(moment: datetime, user: User, issued_at: float) -> bool:
    """Whether a principal's token was issued until a moment of our clock."""
    return issued_at - user.clock_lead <= moment.timestamp()
