"""A worker says at its start what it lacks: a broker, or open files."""

import subprocess
import sys

from tests.conf.conftest import PRODUCTION, ROOT


def test_no_broker_ends_the_worker_with_advice() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "connections_project", "worker"],
        cwd=ROOT,
        env=PRODUCTION,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "Configuration: a worker needs CELERY_BROKER_URL or REDIS_URL"
    )
    assert "Traceback" not in done.stderr


def test_too_few_open_files_end_it_with_advice() -> None:
    worker = [sys.executable, "-m", "celery", "-A", "connections_project", "worker"]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *worker],
        cwd=ROOT,
        env=PRODUCTION | {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Open files: this process may have 256, and")
    assert "Traceback" not in done.stderr
