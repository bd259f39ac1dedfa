"""What needs an operator now, each with the page on which something can be done about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from audit.unsealed import oldest_unsealed
from connections_project.admin.formatting import connection_model, exact_time
from connections_project.core import clock
from connections_project.core.jobs.circuit import left_alone
from connections_project.events.models import Endpoint
from connections_project.metrics.tables import MOST_QUESTIONS
from connections_project.operations.models import UNFINISHED, BulkJob
from connections_project.platforms.endings import near_endings
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import name_of
from connections_project.revocation.models import Circuit, JobState, Verification

# A revocation is tried again within the hour; what is older has failed many times.
OLD_REVOCATION = timedelta(hours=1)
# The sealer runs twice a minute, and is at most 60 s behind.
LATE_SEAL = timedelta(minutes=3)
COUNTED_LATE = timedelta(minutes=5)
DEAD = ("expired", "revoked", "error")
# By the plan an event was tried four times within so long.
LATE_EVENT = timedelta(minutes=15)
# What no status tells.
BESIDE_STATUS = {
    "grant_ending": "end soon by themselves",
    "platform_error": "can't be refreshed: the platform refuses",
}


@dataclass(frozen=True)
class Alert:
    """One thing that needs attention. An urgent one gets worse by itself."""

    text: str
    page: str
    is_urgent: bool = False


def alerts(metrics: Mapping[str, Any], counted_at: datetime | None) -> list[Alert]:
    """Return what needs attention, the urgent first.

    Args:
        metrics: As `metrics.tables` counts them once a minute.
        counted_at: When that was; None where nobody has counted yet.
    """
    found = [
        *_suspensions(),
        *_revocations(metrics),
        *_living_tokens(metrics),
        *_circuits(),
        *_unanswered(metrics),
        *_seals(),
        *_periodic_tasks(counted_at),
        *_bulk_jobs(),
        *_endings(),
        *_events(metrics),
        *_dead_grants(metrics),
        *_attention(metrics),
    ]
    return sorted(found, key=lambda alert: not alert.is_urgent)


def _suspensions() -> Iterator[Alert]:
    page = reverse("admin:platforms_suspension_changelist")
    for one in Suspension.objects.order_by("suspended_at"):
        yield Alert(f"{name_of(one.slug)} is suspended: {one.reason}", page, is_urgent=True)


def _revocations(metrics: Mapping[str, Any]) -> Iterator[Alert]:
    page = reverse("admin:revocation_revocationjob_changelist")
    oldest = metrics.get("oldest_pending")
    if oldest and clock.now() - datetime.fromisoformat(oldest) > OLD_REVOCATION:
        pending = metrics["revocation_jobs"].get("pending", 0)
        since = exact_time(datetime.fromisoformat(oldest), "minutes")
        text = f"The oldest revocation has been pending since {since}; {pending} are under way"
        yield Alert(text, f"{page}?state=pending", is_urgent=True)


def _living_tokens(metrics: Mapping[str, Any]) -> Iterator[Alert]:
    """Name the platforms that accept revocations and go on honouring the tokens."""
    page = reverse("admin:revocation_revocationjob_changelist")
    for state, platform, verification, number in metrics.get("verifications", []):
        if (state, verification) == (JobState.PENDING, Verification.STILL_ALIVE):
            text = f"{name_of(platform)} has accepted {number} revocations without effect"
            query = f"state={state}&verification={verification}"
            yield Alert(f"{text}: the tokens are still good", f"{page}?{query}", is_urgent=True)


def _circuits() -> Iterator[Alert]:
    page = reverse("admin:revocation_revocationjob_changelist")
    for circuit in Circuit.objects.filter(left_alone(clock.now())):
        text = f"{name_of(circuit.platform)} fails to revoke ({circuit.faults} times in a row)"
        yield Alert(f"{text} and is left alone for a while", f"{page}?state=pending", True)


def _unanswered(metrics: Mapping[str, Any]) -> Iterator[Alert]:
    page = reverse("admin:platforms_suspension_changelist")
    found = metrics.get("unanswered", [])
    least = "at least " if sum(number for _, number in found) >= MOST_QUESTIONS else ""
    for platform, number in found:
        grants = f"{least}{number} grants"
        text = f"{name_of(platform)} does not say of {grants} whether revocations ended them"
        yield Alert(text, page)


def _seals() -> Iterator[Alert]:
    page = reverse("admin:audit_auditevent_changelist")
    first = oldest_unsealed()
    if first is not None and clock.now() - first > LATE_SEAL:
        since = exact_time(first, "minutes")
        text = f"The audit log is not sealed since {since}: is a worker running?"
        yield Alert(text, page, is_urgent=True)


def _periodic_tasks(counted_at: datetime | None) -> Iterator[Alert]:
    if counted_at is None or clock.now() - counted_at > COUNTED_LATE:
        yield Alert(
            "No periodic tasks run: start the workers, or run_background --forever", "", True
        )


def _bulk_jobs() -> Iterator[Alert]:
    for job in BulkJob.objects.filter(state__in=UNFINISHED).order_by("created_at")[:10]:
        text = f"A forced disconnect is under way: {job.processed} of {job.total} in {job.app}"
        yield Alert(text, reverse("admin:operations_bulkjob_change", args=[job.pk]))


def _endings() -> Iterator[Alert]:
    page = reverse("admin:platforms_suspension_changelist")
    for one in near_endings():
        text = f"{one.platform.name}: {one}; give a newer one in OAUTH_CATALOG"
        yield Alert(text, page, is_urgent=one.is_over)


def _events(metrics: Mapping[str, Any]) -> Iterator[Alert]:
    page = reverse("admin:events_endpoint_changelist")
    oldest = metrics.get("oldest_event")
    if oldest and clock.now() - datetime.fromisoformat(oldest) > LATE_EVENT:
        since = exact_time(datetime.fromisoformat(oldest), "minutes")
        yield Alert(f"An event endpoint has not taken what happened since {since}", page, True)
    for one in Endpoint.objects.exclude(disabled_at=None).order_by("disabled_at")[:10]:
        yield Alert(f"The event endpoint {one.url} is disabled: {one.disabled_reason}", page)


def _attention(metrics: Mapping[str, Any]) -> Iterator[Alert]:
    for app, numbers in metrics.get("attention", {}).items():
        options = connection_model(app)._meta
        page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        for reason, words in BESIDE_STATUS.items():
            if number := numbers.get(reason, 0):
                text = f"{number} of {options.verbose_name_plural} {words}"
                yield Alert(text, f"{page}?attention_reason={reason}")


def _dead_grants(metrics: Mapping[str, Any]) -> Iterator[Alert]:
    for app, numbers in metrics.get("connections", {}).items():
        options = connection_model(app)._meta
        page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        for status in DEAD:
            if number := numbers.get(status, 0):
                one = number == 1
                who = options.verbose_name if one else options.verbose_name_plural
                verb = "is" if one else "are"
                text = f"{number} {who} {verb} {status}: users have to connect again"
                yield Alert(text, f"{page}?status={status}")
