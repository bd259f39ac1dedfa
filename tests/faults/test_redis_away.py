"""Redis is killed and comes back, under processes that are not restarted."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import requests
from django.conf import settings
from rest_framework.test import APIClient

from connections_project.identity import sessions
from connections_project.identity.models import User
from connections_project.revocation.models import RevocationJob
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import wait_until
from tests.support.platform_server import free_port
from tests.support.provider_rows import connection_of
from tests.support.relay import Relay
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def redis_server(port: int, folder: Path) -> Iterator[None]:
    """Run a Redis that keeps nothing, and kill it at the end."""
    command = [program_or_skip(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: is_up(port))
            yield
        finally:
            server.kill()


def program_or_skip() -> str:
    found = shutil.which("redis-server")
    if found is None:
        message = "left out: no redis-server"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def is_up(port: int) -> bool:
    try:
        with redis.Redis(port=port) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


class Client(requests.Session):
    """The API as a user sees it, over HTTP."""

    def __init__(self, url: str, user: User) -> None:
        super().__init__()
        self.url = f"{url}/api/v1"
        self.headers["Authorization"] = f"Bearer {sessions.begin(user).access_token}"

    def connect(self) -> requests.Response:
        return self.post(f"{self.url}/providers", json={"provider_slug": "bank"}, timeout=10)

    def disconnect(self, connection_id: object) -> requests.Response:
        return self.delete(f"{self.url}/auth/{connection_id}/disconnect", timeout=10)


def test_disconnects_work_and_all_recovers(
    api: APIClient, owner: User, bank: Bank, deploy: Deploy, tmp_path: Path
) -> None:
    row, another = (connection_of(owner, account_id=number) for number in "12")
    port, redis_port = free_port(), free_port()
    url = f"redis://127.0.0.1:{redis_port}/0"
    deployment = deploy(REDIS_URL=url, CELERY_BROKER_URL=url, METRICS_TOKEN="metrics")
    waits = deployment.workers(until="Cannot connect to")
    with deployment.web(port), waits as (worker,), deployment.beat() as beat:
        client = Client(f"http://127.0.0.1:{port}", owner)
        with redis_server(redis_port, tmp_path):
            assert client.connect().status_code == 201
            worker.wait_for(" ready.")
        # It is away now.
        gone = client.disconnect(row.pk)
        assert (gone.status_code, gone.json()) == (200, {"message": "Provider disconnected"})
        assert "X-RateLimit-Limit" not in gone.headers
        assert client.connect().status_code == 503
        assert 'rate_limit_fail_opens_total{policy="API_WRITE"} 1' in metrics_text(port)
        row.refresh_from_db()
        assert (row.status, row.auth_state) == ("disconnected", None)
        with redis_server(redis_port, tmp_path):
            wait_until(lambda: client.connect().status_code == 201)
            assert "X-RateLimit-Limit" in client.disconnect(another.pk).headers
            # Also the jobs that were stored while no message could be sent.
            wait_until(lambda: not RevocationJob.objects.filter(state="pending"), why=worker.said)
            wait_until(lambda: beat.said().count("Sending due task") > 30, why=beat.said)
            assert beat.process.poll() is None
    assert sorted(bank.revoked) == ["access-0"] * 2 + ["refresh-0"] * 2


def ready(port: int) -> dict[str, bool]:
    checks = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10).json()["checks"]
    return {name: check["ok"] for name, check in checks.items()}


def test_a_read_only_redis_is_survived(
    api: APIClient, owner: User, bank: Bank, deploy: Deploy, tmp_path: Path
) -> None:
    row, another = (connection_of(owner, account_id=number) for number in "12")
    port, redis_port = free_port(), free_port()
    url = f"redis://127.0.0.1:{redis_port}/0"
    deployment = deploy(REDIS_URL=url, CELERY_BROKER_URL=url)
    with (
        redis_server(redis_port, tmp_path),
        deployment.web(port),
        deployment.workers() as (worker,),
        deployment.beat() as beat,
        redis.Redis(port=redis_port) as server,
    ):
        client = Client(f"http://127.0.0.1:{port}", owner)
        # As after a failover: it follows another one, and refuses writes.
        server.replicaof("127.0.0.1", str(free_port()))
        wait_until(lambda: "read only replica" in worker.said(), why=worker.said)
        assert ready(port) == {"database": True, "cache": False, "broker": False}
        assert client.disconnect(row.pk).status_code == 200
        assert client.connect().status_code == 503
        server.replicaof("NO", "ONE")
        wait_until(lambda: all(ready(port).values()))
        assert client.disconnect(another.pk).status_code == 200
        wait_until(lambda: not RevocationJob.objects.filter(state="pending"), why=worker.said)
        assert worker.process.poll() is beat.process.poll() is None
    assert sorted(bank.revoked) == ["access-0"] * 2 + ["refresh-0"] * 2


def test_connections_that_fall_silent_are_given_up(
    bank: Bank, use_catalogue: Callable[..., None], deploy: Deploy
) -> None:
    """As after a failover from a host that has vanished: no end comes of them."""
    use_catalogue(bank.catalogue("bank", revocation='tokens = ["refresh_token"]'), "bank")
    relay = Relay(settings.REDIS_URL)
    deployment = deploy(REDIS_URL=relay.url, CELERY_BROKER_URL=relay.url)
    with relay.open(), deployment.workers() as (worker,), deployment.beat() as beat:
        make_jobs("bank", "a-token")
        wait_until(lambda: bank.revoked, why=worker.said)
        relay.fall_silent()
        time.sleep(2)  # What was asked for before is done.
        make_jobs("bank", "another")
        wait_until(lambda: len(bank.revoked) == 2, why=lambda: worker.said() + beat.said())


def metrics_text(port: int) -> str:
    bearer = {"Authorization": "Bearer metrics"}
    return requests.get(f"http://127.0.0.1:{port}/metrics", headers=bearer, timeout=10).text
