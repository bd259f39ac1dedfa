"""Log lines: as JSON where asked for, and never with an address's query.

A query may hold a code or a state (RFC 6749, section 4.1.2), which have no place in a log.
"""

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from connections_project.core.text import json_spelt_out, spelt_out

# Characters of a line about a refusal, which may quote what was sent.
LONGEST_REFUSAL = 500
_QUERY = re.compile(r"\?[^\s\"']*")
# In a traceback a question mark may be anything; with a name and a value it begins a query.
_QUERY_IN_TRACEBACK = re.compile(r"\?[\w.~%-]+=[^\s\"']*")


# PostgreSQL's DETAIL shows the row that was refused.
_DETAIL = re.compile(r"^DETAIL: .*\n?", re.MULTILINE)


class QueryFilter(logging.Filter):
    """Cut the query off every address in a message's arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _QUERY.sub("", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


class RefusalFilter(logging.Filter):
    """Make one line, and no error, of what Django logs of a request that was refused.

    Django logs some refusals with a traceback, and some as errors: anybody could fill the log, or
    call somebody out of bed.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        is_djangos = record.name.startswith(("django.request", "django.security"))
        if is_djangos and 400 <= getattr(record, "status_code", 500) < 500:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
            message = spelt_out(record.getMessage()).replace("\n", "\\n")
            record.msg, record.args = message[:LONGEST_REFUSAL], ()
        return True


class ConsoleFormatter(logging.Formatter):
    """Write a record for people; its exception too without an address's query."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the standard library's name.
        return _DETAIL.sub("", _QUERY_IN_TRACEBACK.sub("", super().formatException(ei)))


class JsonFormatter(ConsoleFormatter):
    """Write a record as one line of JSON, with the `fields` that it was given as extra."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "trace_id": getattr(record, "trace_id", ""),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json_spelt_out(json.dumps(line, ensure_ascii=False))


def log_what_is_printed_otherwise() -> None:
    """Make lines of the log of warnings, and of exceptions that end a process or a thread."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def fatal(message: str, *, log_format: str) -> str:
    """Return the line with which a process ends before anything can be logged."""
    if log_format != "json":
        return message
    record = logging.LogRecord("connections_project", logging.CRITICAL, "", 0, message, (), None)
    return JsonFormatter().format(record)


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("connections_project").critical(
            "Uncaught: %s", kind.__name__, exc_info=(kind, error, trace)
        )
