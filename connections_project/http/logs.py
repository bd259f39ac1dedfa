"""Log lines: as JSON where asked for, and never with an address's query.

A query may hold a code or a state (RFC 6749, section 4.1.2), which have no place in a log.
"""

import json
import logging
import re
from datetime import UTC, datetime

_QUERY = re.compile(r"\?[^\s\"']*")


class QueryFilter(logging.Filter):
    """Cut the query off every address in a message's arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _QUERY.sub("", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


class JsonFormatter(logging.Formatter):
    """Write a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "trace_id": getattr(record, "trace_id", ""),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
