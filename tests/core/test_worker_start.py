"""A worker without a broker would wait for ever for messages."""

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
