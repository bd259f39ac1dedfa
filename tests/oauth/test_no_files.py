"""A process that may open no more files is itself at fault, and nobody whom it would call."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network

import pytest

from connections_project.oauth.errors import PlatformError
from connections_project.oauth.guarded import FetchError, GuardedClient
from connections_project.oauth.messages import Request
from connections_project.oauth.transport import send
from tests.support.platform_server import PlatformServer


@contextmanager
def no_files() -> Iterator[None]:
    """Have this process at its limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    taken = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for one in taken:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_platform_is_not_to_blame(server: PlatformServer) -> None:
    request = Request("GET", f"{server.url}/me")
    with no_files(), pytest.raises(PlatformError) as raised:
        send(request, platform="bank", within=5)
    assert raised.value.code == "no_files"
    assert server.requests == []


def test_an_endpoint_is_not_to_blame(server: PlatformServer) -> None:
    client = GuardedClient(networks=[ip_network("127.0.0.0/8")], largest=1024)
    with no_files(), pytest.raises(FetchError) as raised:
        client.send("POST", f"{server.url}/events", within=5, body=b"{}")
    assert raised.value.code == "no_files"
    assert server.requests == []
