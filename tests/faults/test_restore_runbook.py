"""A database is lost, and restored as docs/operating.md says, word for word."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

from connections_project.identity.models import User
from providers.models import Connection
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.process_environment import ROOT
from tests.support.provider_connecting import CALLBACK, PROVIDERS, begin

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
RUNBOOK = PAGE.partition("\n## Restoring a backup\n")[2].partition("\n## ")[0]
BLOCKS = [
    dedent(block).splitlines()
    for block in re.findall(r"^ *```bash\n(.*?)^ *```$", RUNBOOK, flags=re.MULTILINE | re.DOTALL)
]
RESTORED = f"restored_{os.getpid()}"


@dataclass
class Shell:
    """A shell of whoever restores, in a folder of its own."""

    environment: dict[str, str]
    folder: Path

    def run(self, line: str, *, answer: str = "", code: int = 0) -> str:
        """Run a line of the page, and return what it has said."""
        if export := re.fullmatch(r"export (\w+)=(.*)", line):
            # Where it is restored to differs here, and nothing else does.
            assert export[1] in self.environment
            to = self.environment[export[1]]
            changed = {"DATABASE_URL": to.rpartition("/")[0] + f"/{RESTORED}"}
            self.environment[export[1]] = changed.get(export[1], f"{self.folder}/new-heads.jsonl")
            return ""
        program = f'manage.py() {{ {sys.executable} {ROOT}/manage.py "$@"; }}\n'
        done = subprocess.run(
            ["bash", "-c", program + line.replace("connections_restored", RESTORED)],
            cwd=self.folder,
            env=self.environment,
            input=answer,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == code, (line, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def rows(self) -> dict[str, str]:
        """Return the connections of the restored database."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as restored:
            found = restored.execute("SELECT id::text, status FROM providers_connection")
            return dict(found.fetchall())


@pytest.fixture
def shell(deploy: Deploy, tmp_path: Path) -> Iterator[Shell]:
    to = connection.settings_dict
    there = {"PGHOST": to["HOST"], "PGPORT": str(to["PORT"] or 5432), "PGUSER": to["USER"]}
    environment = dict(deploy(CELERY_BROKER_URL="").environment)
    yield Shell(environment | there | {"PGPASSWORD": to["PASSWORD"]}, tmp_path)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {RESTORED} WITH (FORCE)")


@pytest.mark.timeout(600)
def test_a_lost_database_comes_back(api: APIClient, owner: User, bank: Bank, shell: Shell) -> None:
    def connect(account: str) -> str:
        bank.account_id = account
        # Three flows are six calls, and five may come at once.
        cache.clear()
        state = begin(api).json()["state"]
        answer = api.post(f"{CALLBACK}?code=code&state={state}")
        assert answer.status_code == 201, answer.content
        return str(answer.json()["id"])

    (dump, export), restore, compare, replay, others, grants, empty = BLOCKS
    kept, ended = connect("kept"), connect("ended")
    shell.run("manage.py seal_audit_log")
    shell.run(dump)
    made = connect("made since")
    api.delete(f"{PROVIDERS}/{ended}")
    shell.run("manage.py seal_audit_log")
    shell.run(export)
    assert Connection.objects.filter(status="active").count() == 2
    token = bank.revoked[-1]

    for line in restore:
        shell.run(line)
    assert shell.rows() == {kept: "active", ended: "active"}
    assert "cut_off" in shell.run(compare[0], code=1)
    shell.run(compare[1])
    bank.server.requests.clear()
    would = shell.run(replay[0])
    assert "1 would be ended" in would
    assert "1 ended" in shell.run(replay[1], answer="y\n")
    assert shell.rows() == {kept: "active", ended: "disconnected"}
    # Its token is revoked once more; there is none by which the newest grant could be.
    shell.run("manage.py run_background --once")
    assert token in bank.revoked
    assert shell.run(others[0], code=1) == ""
    assert made in shell.run(grants[0])
    assert made in shell.run(f"manage.py inspect_connection {made}", code=1)
    assert "OK" in shell.run(empty[0])
    shell.run("manage.py seal_audit_log")
    assert "is what was sealed" in shell.run("manage.py verify_audit_log")
    assert "0 ended, 1 over already" in shell.run(replay[1])
