"""`make prod-up` and `make prod-down`: the processes of production, on this machine.

Two web workers, a Celery worker and beat, on PostgreSQL and Redis, with the settings of production.
Their keys are those of `.env`; all of their settings are written to `.dev/prod.env`.
"""

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from connections_project.sandbox.local import background
from connections_project.sandbox.local.certificate import certificate_in, issue_where_missing
from connections_project.sandbox.local.interruptions import Interrupted, raise_on_signals
from connections_project.sandbox.local.keys import DEV_FOLDER
from connections_project.sandbox.local.output import say
from connections_project.sandbox.local.ports import PortTakenError, check_free
from connections_project.sandbox.local.processes import ROOT, Program, StartError, beat, web, worker

PORT = 8443
# Where the environment names none.
STORES = {
    "DATABASE_URL": "postgres://postgres@127.0.0.1:5432/connections",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}
GUIDE = """\
Service    {url}  (`curl -k` accepts its certificate; its API is described at /api/docs)
Logs       {folder}/web.log, worker.log, beat.log
Commands   ENV_FILE={file} .venv/bin/python manage.py create_user you@example.com
Operators  make prod-up OPERATOR=you@example.com makes the first one, for {url}/admin/
Stop it    make prod-down
"""


class StoreError(Exception):
    """PostgreSQL or Redis can't be used; the message is one line."""


def up(folder: Path, port: int, keys: Path, operator: str) -> None:
    """Start what doesn't run yet, and say how to go on.

    Args:
        folder: Where logs, certificate and collected files go.
        keys: A file of settings, of which the keys are taken.
        operator: The address of an operator to make; empty for none.

    Raises:
        StoreError: PostgreSQL or Redis can't be reached.
        PortTakenError: Somebody else listens at the port.
        StartError: A program did not come up; what was started beside it is stopped again.
    """
    file = folder / "prod.env"
    missing = [one for one in programs(folder, port) if not background.is_running(one, folder)]
    if missing:
        check_free(*(one.port for one in missing if one.port), hint="call `make prod-down` first")
        folder.mkdir(exist_ok=True)
        settings = settings_for(port, folder, keys)
        _check_stores(settings)
        _write(file, settings)
        issue_where_missing(certificate_in(folder))
        env = _environment(file)
        _make_ready(env)
        background.start_all(missing, env=env, folder=folder)
    say("Up and running." if missing else "Already up.")
    say(GUIDE.format(url=f"https://localhost:{port}", folder=folder, file=file))
    if operator:
        say(_make_operator(operator, _environment(file)))


def down(folder: Path, port: int, _keys: Path, _operator: str) -> None:
    """Stop each process after what it is doing; what is stored stays."""
    background.stop_and_say(programs(folder, port), folder)


def programs(folder: Path, port: int) -> list[Program]:
    return [web(port, certificate_in(folder)), worker(folder), beat()]


def settings_for(port: int, folder: Path, keys: Path) -> dict[str, str]:
    """Return the settings of production: a developer's keys and clients, and stores of its own."""
    lines = keys.read_text(encoding="utf-8").splitlines()
    developing = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    stores = {name: os.environ.get(name) or default for name, default in STORES.items()}
    return developing | {
        "DEBUG": "false",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "PUBLIC_URL": f"https://localhost:{port}",
        "LOG_FORMAT": "json",
        "GRANIAN_LOG_CONFIG": str(ROOT / "connections_project" / "conf" / "granian_logging.json"),
        # Another log than that of development, in a database of its own.
        "AUDIT_HEADS_FILE": str(folder / "prod-audit-heads.jsonl"),
        "STATIC_ROOT": str(folder / "static"),
        **stores,
    }


def _check_stores(settings: Mapping[str, str]) -> None:
    """See that both answer, and that the database is there."""
    try:
        _create_database(settings["DATABASE_URL"])
    except psycopg.Error as error:
        raise StoreError(f"DATABASE_URL: no PostgreSQL there ({type(error).__name__})") from None
    try:
        with redis.Redis.from_url(settings["REDIS_URL"], socket_connect_timeout=3) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise StoreError(f"REDIS_URL: no Redis there ({type(error).__name__})") from None


def _create_database(url: str) -> None:
    name = urlsplit(url).path.strip("/")
    server = urlsplit(url)._replace(path="/postgres").geturl()
    with psycopg.connect(server, connect_timeout=3, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _write(file: Path, settings: Mapping[str, str]) -> None:
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")


def _environment(file: Path) -> dict[str, str]:
    """Return the settings of the file: neither the caller's nor those of `.env` are used."""
    names = {line.split("=", 1)[0] for line in file.read_text(encoding="utf-8").splitlines()}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return kept | {"ENV_FILE": str(file), "DJANGO_SETTINGS_MODULE": "connections_project.settings"}


def _make_ready(env: Mapping[str, str]) -> None:
    """Bring the tables to today's, and collect the static files."""
    patient = {**env, "DATABASE_STATEMENT_TIMEOUT_SECONDS": "0"}
    for command in (("migrate", "--no-input"), ("collectstatic", "--no-input")):
        done = _manage(*command, "--verbosity", "0", env=patient)
        if done.returncode:
            raise StartError(f"`manage.py {command[0]}` failed:\n{done.stderr}")


def _make_operator(email: str, env: Mapping[str, str]) -> str:
    """Make an operator with a fresh password; return what has to be known of them, this once.

    Raises:
        StartError: There is one of that address, or it is none.
    """
    password = secrets.token_urlsafe(16)
    made = _manage("create_operator", email, "--password-stdin", env=env, given=password)
    if made.returncode:
        raise StartError(f"no operator was made: {made.stderr.strip()}")
    return f"Password   {password}\n{made.stdout}"


def _manage(
    *command: str, env: Mapping[str, str], given: str = ""
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the command is our own.
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=env,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    raise_on_signals()
    parser = argparse.ArgumentParser(prog="prod", description=__doc__)
    parser.add_argument("verb", choices=["up", "down"])
    parser.add_argument("--folder", type=Path, default=ROOT / DEV_FOLDER)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--operator", default="", help="make this operator")
    parser.add_argument("--keys", type=Path, default=ROOT / ".env")
    chosen = parser.parse_args()
    try:
        verb = {"up": up, "down": down}[chosen.verb]
        verb(chosen.folder, chosen.port, chosen.keys, chosen.operator)
    except (PortTakenError, StartError, StoreError) as error:
        sys.exit(f"prod-{chosen.verb}: {error}")
    except Interrupted:
        sys.exit(130)


if __name__ == "__main__":
    main()
