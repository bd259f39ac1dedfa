"""A web process that is to end refuses nobody, behind a proxy that asks whether it is ready."""

import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.faults.conftest import Deploy
from tests.support.deployment import Deployment, answers, wait_until
from tests.support.haproxy import haproxy
from tests.support.platform_server import free_port

pytestmark = pytest.mark.django_db(transaction=True)

# By hand: DRAIN_REQUESTS=10000
REQUESTS = int(os.environ.get("DRAIN_REQUESTS", "1000"))
A_SECOND, CLIENTS = 200, 10


class Load:
    """Asks 200 times a second, by several clients that keep their connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.began = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        self.lock = threading.Lock()

    def ask(self, client: int) -> None:
        with requests.Session() as session:
            for number in range(client, REQUESTS, CLIENTS):
                time.sleep(max(self.began + number / A_SECOND - time.monotonic(), 0))
                outcome = self._outcome(session)
                with self.lock:
                    self.outcomes[outcome] += 1

    def _outcome(self, session: requests.Session) -> str:
        try:
            answer = session.get(f"{self.url}/api/v1/platforms", timeout=20)
            by = "" if "X-Trace-Id" in answer.headers else " by the proxy"
            return f"{answer.status_code}{by}"
        except requests.RequestException as error:
            return type(error).__name__

    def wait_for_share(self, share: float) -> None:
        wait_until(lambda: self.outcomes.total() >= REQUESTS * share)


def test_nobody_is_refused_through_restarts(deploy: Deploy, tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    sites = [folder(deploy, tmp_path / str(port)) for port in ports]
    with ExitStack() as stack:
        webs = [
            stack.enter_context(site.web(port)) for site, port in zip(sites, ports, strict=True)
        ]
        url = stack.enter_context(haproxy(ports, tmp_path))
        wait_until(lambda: all(answers(f"http://127.0.0.1:{port}/readyz") for port in ports))
        with ThreadPoolExecutor(CLIENTS) as threads:
            load = Load(url)
            asked = [threads.submit(load.ask, client) for client in range(CLIENTS)]
            load.wait_for_share(0.1)
            webs[0].process.terminate()
            wait_until(lambda: not answers(f"http://127.0.0.1:{ports[0]}/readyz"))
            # It still answers whoever has not noticed.
            assert answers(f"http://127.0.0.1:{ports[0]}/api/v1/platforms")
            assert webs[0].process.wait(30) == 0
            stack.enter_context(sites[0].web(ports[0]))
            wait_until(lambda: answers(f"http://127.0.0.1:{ports[0]}/readyz"))
            time.sleep(1)
            webs[1].process.terminate()
            for one in asked:
                one.result()
            assert webs[1].process.wait(30) == 0
    assert load.outcomes == {"200": REQUESTS}


def folder(deploy: Deploy, path: Path) -> Deployment:
    """Deploy with a place of its own for the logs."""
    path.mkdir()
    return Deployment(deploy(DRAIN_SECONDS="3").environment, path)
