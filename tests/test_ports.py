"""The ports at which tests have processes listen."""

from pathlib import Path

import pytest

from tests.support.platform_server import PORTS, free_port

CHOSEN_BY_LINUX = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not CHOSEN_BY_LINUX.exists(), reason="Only Linux says what it chooses from.")
def test_the_system_gives_them_to_nobody_else() -> None:
    first, last = map(int, CHOSEN_BY_LINUX.read_text(encoding="ascii").split())
    assert not set(PORTS) & set(range(first, last + 1))
    assert free_port() in PORTS
