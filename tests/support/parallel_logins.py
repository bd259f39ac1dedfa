"""Several clients in one moment, each in a thread and on a database connection of its own."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection
from django.test import Client

Call = tuple[str, dict[str, str]]


def at_once(calls: Sequence[Call]) -> list[Any]:
    """Post each body to its call of signing in, and give the answers in that order."""
    start = threading.Barrier(len(calls))

    def post(call: Call) -> Any:
        name, body = call
        start.wait()
        try:
            return Client().post(f"/api/v1/auth/{name}", body, content_type="application/json")
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(post, calls))
