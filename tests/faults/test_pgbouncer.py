"""All commands, web and workers behind a PgBouncer in transaction mode (DATABASE_POOL_SIZE=0)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Deploy
from tests.faults.test_postgresql_restarts import Person, disconnect, pending, run
from tests.support.bank import Bank
from tests.support.deployment import Deployment, wait_until
from tests.support.pgbouncer import pgbouncer
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster, cluster
from tests.support.process_environment import ROOT

People = list[Person]
WHY = ("--reason", "a drill", "--yes")


@pytest.fixture
def behind(bank: Bank, deploy: Deploy, database: Cluster) -> Iterator[Deployment]:
    with pgbouncer(database) as url:
        yield deploy(DATABASE_URL=url, DATABASE_POOL_SIZE="0")


def fill(behind: Deployment) -> People:
    filled = run(behind, "-m", "tests.support.fill_database", "6")
    return [(token, key) for token, key in json.loads(filled)]


def make_endpoint(behind: Deployment) -> str:
    made = run(behind, "manage.py", "create_event_endpoint", "https://app.invalid/", "--json")
    return str(json.loads(made)["id"])


def commands(people: People, endpoint: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """Every command of ours that reads or writes the database."""
    ids = [key for _, key in people]
    export = str(folder / "export.jsonl")
    yield ("check", "--database", "default")
    yield ("show_public_keys",)
    yield ("list_teams",)
    yield ("list_api_keys",)
    yield ("list_scim_tokens",)
    yield ("inspect_connection", ids[0])
    yield ("suspend_platform", "bank", "--reason", "a drill")
    yield ("resume_platform", "bank")
    yield ("disconnect_provider", ids[0], *WHY)
    yield ("disconnect_provider", "--slug", "bank", "--user", "user-1@example.com", *WHY)
    yield ("disconnect_user", "user-2@example.com", *WHY)
    yield ("leaver_receipt", "user-2@example.com")
    yield ("run_revocations", "--once")
    yield ("run_background", "--once")
    yield ("publish_due_schedules", "--once")
    yield ("show_audit_trail", ids[0])
    yield ("seal_audit_log",)
    yield ("verify_audit_log", "--all")
    yield ("export_audit_log", "--output", export)
    yield ("follow_audit_log", "--once")
    yield ("archive_audit_log", "--before", "2020-01-01", "--to", str(folder / "archive.jsonl"))
    yield ("replay_disconnects", export, *WHY)
    yield ("rotate_credential_keys",)
    yield ("list_event_endpoints",)
    yield ("rotate_event_secret", endpoint)
    yield ("replay_events", "--endpoint", endpoint, "--since", "2026-01-01T00:00:00Z")
    yield ("deliver_events", "--once")
    yield ("disable_event_endpoint", endpoint)
    yield ("breach_drill", "bank", *WHY, "--output", str(folder / "drill"))
    yield ("disconnect_provider", "--all", *WHY)
    yield ("disconnect_channel", "--all", *WHY)
    yield ("disconnect_social", "--all", *WHY)


# All in one process, since each start of Django takes its time.
CALL = """
import json, sys, django
django.setup()
from django.core.management import call_command
for command in json.loads(sys.argv[1]):
    sys.stderr.write(f"{command}\\n")
    call_command(*command)
"""


class TestAnEmptyDatabase:
    @pytest.fixture
    def database(self, db: None) -> Iterator[Cluster]:
        with cluster() as running:
            yield running

    def test_each_command_works(self, behind: Deployment, tmp_path: Path) -> None:
        run(behind, "manage.py", "migrate", "--verbosity", "0")
        people, endpoint = fill(behind), make_endpoint(behind)
        run(behind, "-c", CALL, json.dumps(list(commands(people, endpoint, tmp_path))))


def test_all_of_our_commands_are_tried(tmp_path: Path) -> None:
    # These make people and keys by one INSERT or UPDATE each, or don't come near the database.
    others = {"create_user", "create_service_account", "create_operator", "create_team",
              "create_api_key", "revoke_api_key", "reset_totp", "sandbox", "migrate",
              "platform_table", "check_catalog", "discover", "create_event_endpoint",
              "test_event_endpoint",
              "create_scim_token", "revoke_scim_token"}  # fmt: skip
    found = {
        path.stem
        for path in ROOT.glob("**/management/commands/[a-z]*.py")
        if not {".venv", "tests"} & set(path.parts)
    }
    tried = {command[0] for command in commands([("", "")] * 6, "", tmp_path)}
    assert found - others <= tried


def test_web_and_workers_work(behind: Deployment, database: Cluster, bank: Bank) -> None:
    people, port = fill(behind), free_port()
    with behind.web(port) as web, behind.workers() as (worker,), behind.beat():
        statuses = [disconnect(f"http://127.0.0.1:{port}", person) for person in people]
        assert statuses == [200] * len(people), web.said()
        wait_until(lambda: not pending(database.url), why=worker.said)
    assert len(bank.revoked) == 2 * len(people)
