"""All metrics, as prometheus-client renders them."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import django
from django.conf import settings
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from connections_project import __version__
from connections_project.core import clock
from connections_project.metrics.processes import process_metrics
from connections_project.metrics.tables import last_counted

# What is kept as a time, and shown as how long ago that was.
AGES = {
    "connections_revocation_oldest_pending_seconds": (
        "oldest_pending",
        "Age of the oldest pending revocation; 0 for none.",
    ),
    "connections_event_oldest_pending_seconds": (
        "oldest_event",
        "Age of the oldest event that an enabled endpoint has not taken; 0 for none.",
    ),
    "connections_audit_oldest_unsealed_seconds": (
        "oldest_unsealed",
        "Age of the oldest recent audit event that is not sealed; 0 for none.",
    ),
    "connections_schedule_oldest_overdue_seconds": (
        "oldest_schedule",
        "For how long the oldest post that nobody has begun is due; 0 for none.",
    ),
    "connections_background_idle_seconds": (
        "background_at",
        "Seconds since workers, or run_background, last counted the tables.",
    ),
}


class MetricsCollector(Collector):
    """Collects what the processes counted, and what was last counted over the tables."""

    def collect(self) -> Iterator[Metric]:
        yield _build_info()
        yield from process_metrics(settings.METRICS_FOLDER)
        row = last_counted()
        if row is not None and row.counted_at is not None:
            yield from _tables(row.metrics, row.counted_at)


def _build_info() -> Metric:
    versions = (__version__, platform.python_version(), django.get_version())
    text = "Always 1; the labels name the versions."
    labels = ("version", "python", "django")
    return _gauge("connections_build_info", text, labels, [(versions, 1)])


def _tables(metrics: dict[str, Any], counted_at: datetime) -> Iterator[Metric]:
    yield _gauge(
        "connections_tables_counted_timestamp_seconds",
        "When the metrics of the tables were counted, in seconds since the epoch.",
        (),
        [((), counted_at.timestamp())],
    )
    yield _gauge(
        "connections_connections",
        "Connections, deleted ones too.",
        ("app", "status"),
        _pairs(metrics["connections"]),
    )
    yield from _revocation_jobs(metrics)
    yield _circuits(metrics.get("circuits", {}))
    for name, (key, text) in AGES.items():
        yield _gauge(name, text, (), [((), _age(metrics.get(key)))])


def _revocation_jobs(metrics: dict[str, Any]) -> Iterator[Metric]:
    by_state, by_platform = metrics["revocation_jobs"], metrics.get("jobs_by_platform", [])
    yield _gauge(
        "connections_revocation_jobs",
        "Revocation jobs that are kept.",
        ("state",),
        (((state,), number) for state, number in by_state.items()),
    )
    yield _gauge(
        "connections_revocation_jobs_by_platform",
        "The same by platform.",
        ("platform", "state"),
        (((slug, state), number) for slug, state, number in by_platform),
    )
    yield _gauge(
        "connections_revocation_verifications",
        "Those of which the tokens were probed, by what that has shown.",
        ("state", "platform", "verification"),
        ((labels, number) for *labels, number in metrics.get("verifications", [])),
    )


def _circuits(found: dict[str, list[str]]) -> Metric:
    return _gauge(
        "connections_circuit_open",
        "1 for each platform or event endpoint that is left alone because it fails.",
        ("circuit", "target"),
        (((circuit, target), 1) for circuit, targets in found.items() for target in targets),
    )


def _pairs(nested: dict[str, dict[str, int]]) -> Iterator[tuple[tuple[str, str], int]]:
    for outer, numbers in nested.items():
        for inner, number in numbers.items():
            yield (outer, inner), number


def _gauge(
    name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for values, number in samples:
        gauge.add_metric(values, number)
    return gauge


def _age(since: str | None) -> float:
    if since is None:
        return 0
    return max((clock.now() - datetime.fromisoformat(since)).total_seconds(), 0)
