"""Processes that are killed are replaced, and those that get SIGTERM cut nothing off."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from connections_project.identity import sessions
from connections_project.identity.models import User
from connections_project.revocation.models import RevocationJob
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.child_processes import children
from tests.support.deployment import wait_until
from tests.support.platform_server import Answer, free_port
from tests.support.provider_rows import connection_of
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db(transaction=True)

LOADING_SECONDS = 0.5  # Less than any machine takes for it.


@contextmanager
def asking(url: str) -> Iterator[list[tuple[float, int]]]:
    """Ask again and again, and note when each answer came, and which: 0 for none."""
    answers: list[tuple[float, int]] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.wait(0.01):
            try:
                status = requests.get(url, timeout=5).status_code
            except requests.RequestException:
                status = 0
            answers.append((time.monotonic(), status))

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(ask) for _ in range(2)]
        try:
            yield answers
        finally:
            enough.set()
    for one in asked:
        one.result()


def test_a_killed_web_worker_is_replaced(
    deploy: Deploy,
) -> None:
    port = free_port()
    with deploy().web(port, workers=2) as web:
        wait_until(lambda: len(children(web)) == 2)
        before = children(web)
        with asking(f"http://127.0.0.1:{port}/api/v1/platforms") as answers:
            wait_until(lambda: len(answers) > 20)
            victim = min(before)
            killed = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: len(children(web) - {victim}) == 2, why=web.said)
            back = time.monotonic()
            wait_until(lambda: len([at for at, _ in answers if at > back]) > 40)
        assert web.process.poll() is None
    # The process that replaces it is there at once, and can't answer before it has loaded Django.
    served = [status for at, status in answers if killed < at < killed + LOADING_SECONDS]
    assert served.count(200) > 0
    # Whoever was just being answered by it is cut off, and nobody gets a wrong answer.
    assert {status for _, status in answers} <= {200, 0}
    assert [status for at, status in answers if at > back][-20:] == [200] * 20


def test_a_stopping_web_server_answers_its_requests(
    owner: User, bank: Bank, deploy: Deploy
) -> None:
    row, port = connection_of(owner), free_port()
    bank.server.on("POST", "/token", Answer(json=bank.tokens().json, delay=1.5))
    bearer = {"Authorization": f"Bearer {sessions.begin(owner).access_token}"}
    url = f"http://127.0.0.1:{port}/api/v1/providers/{row.pk}/token-refreshes"
    with deploy().web(port) as web, ThreadPoolExecutor(1) as thread:
        call = thread.submit(requests.post, url, json={"force": True}, headers=bearer, timeout=20)
        wait_until(lambda: bank.server.requests_to("/token"))
        assert web.end() == 0
        answer = call.result()
    assert (answer.status_code, answer.json()["message"]) == (201, "Token refreshed")
    row.refresh_from_db()
    assert row.opened().access_token == "access-1"


def test_a_stopping_worker_finishes_its_current_job(
    bank: Bank, deploy: Deploy, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(bank.catalogue(revocation='tokens = ["refresh_token"]'), "bank")
    bank.server.on("POST", "/revoke", Answer(200, delay=1.5))
    make_jobs("bank", *map(str, range(20)))
    deployment = deploy(REVOCATION_PLATFORM_LIMIT="4", REVOCATION_LEASE_SECONDS="30")
    with deployment.workers() as (worker,), deployment.beat():
        wait_until(lambda: len(bank.revoked) == 4, why=worker.said)
        assert worker.end() == 0
    states = list(RevocationJob.objects.values_list("state", flat=True))
    assert (states.count("revoked"), states.count("pending")) == (4, 16)
    assert len(bank.revoked) == 4
    # Nobody has to wait for a lease to end.
    assert not RevocationJob.objects.exclude(lease=None).exists()
