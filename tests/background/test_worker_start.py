"""A worker without a broker would wait for ever for what nobody can tell it."""

import subprocess
import sys

from tests.settings_start.conftest import PRODUCTION, ROOT


def test_a_worker_without_a_broker_ends_in_one_line_that_says_what_to_do() -> None:
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
