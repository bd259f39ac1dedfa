"""The Redis that tests use, in a database of their own, and a way to take it away."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

# That of the first worker; each other one has one of its own below it.
DATABASE = 9


def url_or_skip() -> str:
    """Return the address of this worker's database; without a Redis skip, or fail under CI=true."""
    server = urlsplit(os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379")
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    url = server._replace(path=f"/{DATABASE - worker}").geturl()
    try:
        redis.Redis.from_url(url, socket_connect_timeout=1).ping()
    except redis.RedisError:
        message = f"left out: no Redis at {server.hostname}:{server.port}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return url


@contextmanager
def redis_at_socket(path: Path) -> Iterator[None]:
    """Run a Redis that listens at a socket alone; without the program skip."""
    program = shutil.which("redis-server") or pytest.skip("left out: no redis-server")
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            ends_at = time.monotonic() + 10
            while not path.exists() and time.monotonic() < ends_at:
                time.sleep(0.05)
            yield
        finally:
            server.terminate()
