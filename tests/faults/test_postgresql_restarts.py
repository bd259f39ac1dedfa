"""PostgreSQL is restarted under load: nothing is half done, and all recovers by itself."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import requests

from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import Deployment, wait_until
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster
from tests.support.process_environment import ROOT

PEOPLE = 120
CLIENTS = 6

Person = tuple[str, str]


def run(deployment: Deployment, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=dict(deployment.environment),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def disconnect(url: str, person: Person) -> int:
    token, connection_id = person
    path = f"{url}/api/v1/auth/{connection_id}/disconnect"
    bearer = {"Authorization": f"Bearer {token}"}
    return requests.delete(path, headers=bearer, timeout=20).status_code


class Load:
    """Clients that disconnect one person after the other, each until it succeeds."""

    def __init__(self, url: str, people: list[Person]) -> None:
        self.url, self.people = url, people
        self.statuses: Counter[int] = Counter()
        self._lock = threading.Lock()

    def work(self) -> None:
        while (person := self._next()) is not None:
            while (status := disconnect(self.url, person)) != 200:
                self._count(status)
                time.sleep(0.1)
            self._count(status)
            time.sleep(0.03)

    def _next(self) -> Person | None:
        with self._lock:
            return self.people.pop() if self.people else None

    def _count(self, status: int) -> None:
        with self._lock:
            self.statuses[status] += 1


def test_each_is_disconnected_once_despite_restarts(
    bank: Bank, deploy: Deploy, database: Cluster
) -> None:
    port, deployment = free_port(), deploy(DATABASE_URL=database.url)
    filled = run(deployment, "-m", "tests.support.fill_database", str(PEOPLE))
    people: list[Person] = [(token, connection) for token, connection in json.loads(filled)]
    with (
        deployment.web(port) as web,
        deployment.workers() as (worker,),
        deployment.beat(),
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        load = Load(f"http://127.0.0.1:{port}", people)
        clients = [threads.submit(load.work) for _ in range(CLIENTS)]
        wait_until(lambda: load.statuses[200] > PEOPLE / 4, why=web.said)
        database.stop()
        wait_until(lambda: load.statuses[503] >= 1, why=web.said)
        database.start()
        for client in clients:
            client.result(timeout=40)
        assert set(load.statuses) == {200, 503}
        assert load.statuses[200] == PEOPLE
        wait_until(lambda: not pending(database.url), why=worker.said)
        assert_none_is_half_done(database.url)
    assert set(bank.revoked) == {"access-0", "refresh-0"}
    assert len(bank.revoked) >= 2 * PEOPLE


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def pending(url: str) -> list[tuple[object, ...]]:
    return rows(url, "SELECT 1 FROM revocation_revocationjob WHERE state = 'pending'")


def assert_none_is_half_done(url: str) -> None:
    """Each has its state, one audit event of it, and one job, whose end is audited once."""
    found = rows(
        url,
        """
        SELECT c.status, c.auth_state IS NULL, j.state,
          (SELECT count(*) FROM audit_auditevent e
           WHERE e.subject_id = c.id AND e.action = 'provider_disconnected'),
          (SELECT count(*) FROM audit_auditevent e
           WHERE e.subject_id = c.id AND e.action = 'token_revoked')
        FROM providers_connection c JOIN revocation_revocationjob j ON j.connection_id = c.id
        """,
    )
    assert Counter(found) == {("disconnected", True, "revoked", 1, 1): PEOPLE}
