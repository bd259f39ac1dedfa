"""Web workers whose main process is killed alone end by themselves."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import requests

from tests.faults.conftest import Deploy
from tests.support.child_processes import children
from tests.support.deployment import wait_until
from tests.support.platform_server import free_port


def lives(process: int) -> bool:
    return Path(f"/proc/{process}").exists() and not is_zombie(process)


def is_zombie(process: int) -> bool:
    with suppress(OSError):
        stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
        return stat.rpartition(")")[2].split()[0] == "Z"
    return True


def test_they_drain_and_end(deploy: Deploy) -> None:
    port = free_port()
    with deploy(DRAIN_SECONDS="2").web(port, workers=2) as web:
        wait_until(lambda: len(children(web)) == 2)
        workers = children(web)
        os.kill(web.process.pid, signal.SIGKILL)
        web.process.wait()
        wait_until(lambda: is_draining(port), why=web.said)
        wait_until(lambda: not any(lives(one) for one in workers), why=web.said)


def is_draining(port: int) -> bool:
    answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
    return bool(answer.json()["status"] == "draining")
