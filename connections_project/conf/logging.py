"""What is logged, and how a line looks."""

from typing import Any


def logging_to_stderr(log_format: str) -> dict[str, Any]:
    """Describe the loggers.

    Args:
        log_format: "console" or "json".
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "trace": {"()": "connections_project.middleware.tracing.TraceIdFilter"},
            "no_query": {"()": "connections_project.core.logs.QueryFilter"},
        },
        "formatters": {
            "console": {
                "class": "connections_project.core.logs.ConsoleFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s [%(trace_id)s] %(message)s",
            },
            "json": {"()": "connections_project.core.logs.JsonFormatter"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["trace", "no_query"],
                "formatter": log_format,
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": _LOGGERS,
    }


_LOGGERS = {
    "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    # Two lines for each message would say nothing.
    "celery.worker.strategy": {"level": "WARNING"},
    "celery.app.trace": {"level": "WARNING"},
    # It logs each connection that it hands out.
    "psycopg.pool": {"level": "WARNING"},
    # Debug lines of the HTTP client would carry addresses with their queries.
    "urllib3": {"level": "INFO"},
}
