"""HAProxy in front of several servers, which it asks whether they are ready."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.deployment import answers, wait_until
from tests.support.platform_server import free_port

# What a server refuses is not tried again elsewhere: it would hide just that.
_SETTINGS = """
defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 20s
  timeout server 20s
frontend all
  bind 127.0.0.1:{port}
  default_backend servers
backend servers
  option httpchk GET /readyz
  timeout check 5s
  default-server check inter 500ms fall 2 rise 1
{servers}
"""


@contextmanager
def haproxy(servers: Sequence[int], folder: Path) -> Iterator[str]:
    """Yield the address of a proxy that shares requests out among ports of loopback."""
    program, port = _program_or_skip(), free_port()
    lines = [f"  server s{one} 127.0.0.1:{one}" for one in servers]
    settings = folder / "haproxy.cfg"
    settings.write_text(_SETTINGS.format(port=port, servers="\n".join(lines)), encoding="ascii")
    with subprocess.Popen(
        [program, "-q", "-db", "-f", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _program_or_skip() -> str:
    # Debian has it where only an administrator looks for programs.
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}:{Path('/usr/sbin')}")
    if found is None:
        message = "left out: no haproxy"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found
