"""How many connections were made, ended and failed on each of the last days, by the audit log."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from audit.events import Action
from audit.models import PLAUSIBLE_TIME, AuditEvent
from connections_project.connections.registry import connection_types
from connections_project.core import clock

DAYS = 14
# An event is counted by the time that it bears, and may be committed a little later.
STILL_OPEN = 2
KINDS = ("connected", "disconnected", "failed")
Day = dict[str, int]


def per_day(known: Mapping[str, Day]) -> dict[str, Day]:
    """Count the last days, today last.

    Args:
        known: What was counted before, by ISO date: days that are over don't change any more, since
            nothing is taken from the log.
    """
    today = clock.now().astimezone(UTC).date()
    days = [today - timedelta(days=number) for number in reversed(range(DAYS))]
    missing = [day for day in days[:-STILL_OPEN] if day.isoformat() not in known]
    since = min([*missing, days[-STILL_OPEN]])
    counted = _counted(since)
    return {
        day.isoformat(): counted.get(day, _none()) if day >= since else dict(known[day.isoformat()])
        for day in days
    }


def _counted(since: date) -> dict[date, Day]:
    kinds = _kinds()
    begin = datetime.combine(since, time(), UTC)
    rows = (
        AuditEvent.objects.filter(PLAUSIBLE_TIME, action__in=list(kinds), occurred_at__gte=begin)
        .order_by()
        .annotate(day=TruncDate("occurred_at", tzinfo=UTC))
        .values_list("day", "action")
        .annotate(number=Count("pk"))
    )
    found: dict[date, Day] = {}
    for day, action, number in rows:
        found.setdefault(day, _none())[kinds[action]] += number
    return found


def _kinds() -> dict[str, str]:
    """Return what an audit action counts as, of those that count."""
    given_up = (Action.TOKEN_REVOCATION_ABANDONED, Action.EXTRAS_REVOCATION_ABANDONED)
    kinds = {str(action): "failed" for action in given_up}
    for actions in (one.actions for one in connection_types()):
        kinds |= {actions.connected: "connected", actions.disconnected: "disconnected"}
        kinds |= dict.fromkeys(actions.failed, "failed")
    return kinds


def _none() -> Day:
    return dict.fromkeys(KINDS, 0)
