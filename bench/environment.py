"""The benchmarks' own database and servers, which are removed at their end."""

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from cryptography.fernet import Fernet
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
# Nobody listens there: what is measured is the disconnect, not the platform.
CATALOGUE = """
[providers.bench]
name = "Bench"
authorization_endpoint = "http://127.0.0.1:9/authorize"
token_endpoint = "http://127.0.0.1:9/token"
[providers.bench.revocation]
kind = "rfc7009"
endpoint = "http://127.0.0.1:9/revoke"
"""


class LackingError(Exception):
    """Something that the benchmarks need isn't there; the message says what."""


@dataclass(frozen=True)
class Environment:
    """The database's address, the Redis that is ours alone, and a folder for logs."""

    database_url: str
    redis_url: str
    folder: Path

    def forget_limits(self) -> None:
        """Empty the rate limits' buckets, and the broker's queue, before a measurement."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()


@contextmanager
def prepared(database_url: str, redis_url: str) -> Iterator[Environment]:
    """Make a database, and set this process up as the service that runs on it.

    Raises:
        LackingError: No PostgreSQL, no Redis, or one that somebody else uses.
    """
    _require_an_empty_redis(redis_url)
    folder = Path(tempfile.mkdtemp(prefix="connections-bench-"))
    name = f"bench_connections_{os.getpid()}"
    environment = Environment(
        urlsplit(database_url)._replace(path=f"/{name}").geturl(), redis_url, folder
    )
    try:
        _administer(database_url, "CREATE DATABASE {}", name)
        _set_the_environment(environment)
        yield environment
    finally:
        _administer(database_url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        environment.forget_limits()
        shutil.rmtree(folder)


def _require_an_empty_redis(url: str) -> None:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
            if client.dbsize():
                raise LackingError(f"{url} is not empty: give one by --redis-url that may be.")
    except redis.RedisError as error:
        raise LackingError(f"no Redis at {url} ({type(error).__name__})") from error


def _administer(url: str, statement: str, name: str) -> None:
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=3) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    except psycopg.OperationalError as error:
        raise LackingError(f"no PostgreSQL that we may use ({type(error).__name__})") from error


def _set_the_environment(environment: Environment) -> None:
    """Take every setting from here, as production has them; no `.env` has a say."""
    catalogue = environment.folder / "catalog.toml"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    own = {
        "DJANGO_SETTINGS_MODULE": "connections_project.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "AUDIT_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "RECEIPT_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "PUBLIC_URL": "https://127.0.0.1",
        "DATABASE_URL": environment.database_url,
        "REDIS_URL": environment.redis_url,
        "OAUTH_CATALOG": str(catalogue),
        "OAUTH_BENCH_CLIENT_ID": "bench",
        "OAUTH_BENCH_CLIENT_SECRET": secrets.token_urlsafe(),
        "LOG_FORMAT": "json",
        "PROMETHEUS_MULTIPROC_DIR": str(environment.folder / "metrics"),
    }
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | own)


@dataclass(frozen=True)
class Program:
    """What granian serves.

    Args:
        application: Its module and attribute.
        interface: How granian calls it: "rsgi" or "wsgi".
        python: The interpreter whose packages it uses.
        variables: What it finds in its environment besides.
    """

    name: str
    application: str
    settings: str
    interface: str
    python: str = sys.executable
    variables: Mapping[str, str] = field(default_factory=dict)


OURS = Program(
    "ours", "connections_project.rsgi:application", "connections_project.settings", "rsgi"
)


@dataclass(frozen=True)
class Size:
    """How many processes a server has, and how many threads each of them."""

    workers: int
    threads: int


@dataclass(frozen=True)
class Server:
    """A running granian."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"

    def worker_memory(self) -> list[int]:
        """Return the resident memory of each worker, in KiB."""
        return [_resident(pid) for pid in _children(self.process.pid)]

    def worker_seconds(self) -> float:
        """Return the processor time that the workers have used, in seconds."""
        return sum(map(processor_seconds, _children(self.process.pid)))


@contextmanager
def serving(environment: Environment, program: Program, size: Size) -> Iterator[Server]:
    """Run a program on granian, and end all of it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = (
        *(program.python, "-m", "granian", "--interface", program.interface, "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(size.workers)),
        # granian's own threads under WSGI; under RSGI the service has its own.
        *(("--blocking-threads", str(size.threads)) if program.interface == "wsgi" else ()),
        program.application,
    )
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": program.settings,
        "WEB_THREADS": str(size.threads),
        **program.variables,
    }
    path = environment.folder / f"{program.name}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_for(port, process, path)
        yield Server(program.name, port, process)
    finally:
        _end(process)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise LackingError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    # Python's own resource tracker is none of the workers.
    return [child for child in map(int, text.split()) if _resident(child) > 30_000]


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, in seconds."""
    # proc(5): the name in brackets may hold anything; utime and stime are the 14th and 15th.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
