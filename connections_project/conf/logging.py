"""What is logged, and how a line looks."""

from typing import Any

FILTERS = {
    "trace": {"()": "connections_project.middleware.tracing.TraceIdFilter"},
    "no_query": {"()": "connections_project.core.logs.QueryFilter"},
    "refusal": {"()": "connections_project.core.logs.RefusalFilter"},
}
FORMATTERS = {
    "console": {
        "class": "connections_project.core.logs.ConsoleFormatter",
        "format": "%(asctime)s %(levelname)s %(name)s [%(trace_id)s] %(message)s",
    },
    "json": {"()": "connections_project.core.logs.JsonFormatter"},
}
LOGGERS = {
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


def logging_to_stderr(log_format: str) -> dict[str, Any]:
    """Describe the loggers.

    Args:
        log_format: "console" or "json".
    """
    stderr = {
        "class": "connections_project.core.background_log.BackgroundHandler",
        "filters": list(FILTERS),
        "formatter": log_format,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": FILTERS,
        "formatters": FORMATTERS,
        "handlers": {"stderr": stderr},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": LOGGERS,
    }
