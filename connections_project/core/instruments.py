"""What the service counts and times. Every label takes its values from a set that we know.

Without PROMETHEUS_MULTIPROC_DIR the metrics live in the process. With it (settings.py sets it
before this is imported) each process writes to a file of its own there, and `/metrics` adds them
up. Each instrument has labels, since one without would make its file as soon as it is imported.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from connections_project.core import metric_files

metric_files.use()

# When each series began is of no use where processes come and go.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()

REQUEST_SECONDS = Histogram(
    "connections_http_request_duration_seconds",
    "Seconds until a request was answered, by the route's template.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
RATE_LIMIT_DENIALS = Counter(
    "connections_rate_limit_denials",
    "Requests that were refused because a bucket was empty.",
    ["policy"],
    registry=REGISTRY,
)
RATE_LIMIT_FAIL_OPENS = Counter(
    "connections_rate_limit_fail_opens",
    "Requests that were served without a limit because Redis was away.",
    ["policy"],
    registry=REGISTRY,
)
EVENT_DELIVERIES = Counter(
    "connections_event_deliveries",
    "Tries to deliver an event, by what came of them: delivered, failed or given_up.",
    ["endpoint", "outcome"],
    registry=REGISTRY,
)
CHECKPOINT_FAILURES = Counter(
    "connections_audit_checkpoint_failures",
    "Sealings whose checkpoints could not be written (unwritable), know more than is left of the"
    " log (cut_off), know its last seal as another one (sealed_anew), or are another log's"
    " (begun_anew).",
    ["problem"],
    registry=REGISTRY,
)
UNSTORED_TOKENS = Counter(
    "connections_unstored_tokens",
    "Tokens that came while the database failed, by what became of them: revoked, failed or left.",
    ["platform", "outcome"],
    registry=REGISTRY,
)
OUTBOUND_SECONDS = Histogram(
    "connections_outbound_duration_seconds",
    "Seconds that a call to a platform took, whatever became of it.",
    ["platform", "kind", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
LOST_LOG_LINES = Counter(
    "connections_lost_log_lines",
    "Lines of the log that were lost: nobody read it in time (full), or it could not be written.",
    ["reason"],
    registry=REGISTRY,
)
