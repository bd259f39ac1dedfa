"""All metrics, as prometheus-client renders them."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from connections_project.metrics.processes import process_metrics
from connections_project.metrics.tables import last_counted


class MetricsCollector(Collector):
    """Collects what the processes counted, and what was last counted over the tables."""

    def collect(self) -> Iterator[Metric]:
        yield from process_metrics(settings.METRICS_FOLDER)
        row = last_counted()
        if row is None or row.counted_at is None:
            return
        yield _gauge(
            "connections_tables_counted_timestamp_seconds",
            "When the metrics of the tables were counted, in seconds since the epoch.",
            row.counted_at.timestamp(),
        )
        yield _connections(row.metrics["connections"])
        yield _jobs(row.metrics["revocation_jobs"])
        yield _gauge(
            "connections_revocation_oldest_pending_seconds",
            "Age of the oldest pending revocation; 0 for none.",
            _age(row.metrics["oldest_pending"]),
        )
        yield _gauge(
            "connections_event_oldest_pending_seconds",
            "Age of the oldest event that an enabled endpoint has not taken; 0 for none.",
            _age(row.metrics.get("oldest_event")),
        )


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _connections(counts: dict[str, dict[str, int]]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "connections_connections", "Connections, deleted ones too.", labels=["app", "status"]
    )
    for app, by_status in counts.items():
        for status, number in by_status.items():
            gauge.add_metric([app, status], number)
    return gauge


def _jobs(counts: dict[str, int]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "connections_revocation_jobs", "Revocation jobs that are kept.", labels=["state"]
    )
    for state, number in counts.items():
        gauge.add_metric([state], number)
    return gauge


def _age(created_at: str | None) -> float:
    if created_at is None:
        return 0
    return max((timezone.now() - datetime.fromisoformat(created_at)).total_seconds(), 0)
