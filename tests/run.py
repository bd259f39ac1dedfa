"""`make test`: the tests on SQLite and on PostgreSQL with Redis; see tests/support/stacks.py."""

import os
import subprocess
import sys

import psycopg
import redis

from tests.support.stacks import FIRST, SECOND

DATABASE_URL = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = "redis://127.0.0.1:6379/10"
# Twice as many as CI has cores: half of the time tests wait, for a process to start or for a clock.
WORKERS = "4"
# Tests of processes and clocks may fail where a machine is busy with something else. What fails
# three times fails; what doesn't is listed as tried again ("R").
AGAIN = ("--reruns", "2")
# A developer's own settings would change what is tested. Without bytecode each of the hundreds of
# processes that tests start would compile the service and its packages first: 2 s instead of 0.6.
NOT_INHERITED = frozenset(
    {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DEBUG", "PYTHONDONTWRITEBYTECODE"}
)


def main() -> None:
    database_url = os.environ.get("TEST_DATABASE_URL") or DATABASE_URL
    redis_url = os.environ.get("TEST_REDIS_URL") or REDIS_URL
    lacking = [*_lacking_database(database_url), *_lacking_redis(redis_url)]
    left_out = f"PostgreSQL and Redis are LEFT OUT: {'; '.join(lacking)}."
    if lacking and os.environ.get("CI") == "true":
        sys.exit(f"{left_out} Under CI=true they must be there.")
    one_of_two = () if lacking else ("--one-of-two", FIRST)
    is_good = _run("SQLite, all else in process", {}, *one_of_two)
    if lacking:
        _say(left_out)
    else:
        servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        is_good = _run("PostgreSQL and Redis", servers, "--one-of-two", SECOND) and is_good
    sys.exit(not is_good)


def _run(title: str, given: dict[str, str], *options: str) -> bool:
    _say(f"Tests on {title}")
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    again = AGAIN if os.environ.get("CI") == "true" else ()
    command = [sys.executable, "-m", "pytest", "-n", WORKERS, *again, *options, *sys.argv[1:]]
    return subprocess.run(command, env=kept | given, check=False).returncode == 0


def _lacking_database(url: str) -> list[str]:
    """Say why PostgreSQL can't be used: each worker makes a database of its own there."""
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            allowed = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as error:
        return [f"no PostgreSQL at TEST_DATABASE_URL ({type(error).__name__})"]
    if allowed == (True,):
        return []
    return ["the user of TEST_DATABASE_URL may not create databases"]


def _lacking_redis(url: str) -> list[str]:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        return [f"no Redis at TEST_REDIS_URL ({type(error).__name__})"]
    return []


def _say(line: str) -> None:
    sys.stdout.write(f"\n{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
