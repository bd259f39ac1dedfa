"""Connections to a platform that are kept for the next call."""

from collections.abc import Iterator

import pytest

from connections_project.oauth import deadline
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.transport import Answer, Request, send
from tests.support.closing_server import ClosingServer


@pytest.fixture
def closing() -> Iterator[ClosingServer]:
    with ClosingServer() as running:
        yield running


def post(server: ClosingServer) -> Answer:
    return send(Request("POST", f"{server.url}/posts", form={"a": "b"}), platform="x", within=5.0)


def test_a_connection_serves_many_calls(closing: ClosingServer) -> None:
    assert [post(closing).status for _ in range(3)] == [200] * 3
    assert closing.connections == 1


def test_an_idle_one_is_not_used_again(
    closing: ClosingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(closing)
    monkeypatch.setattr(deadline, "LONGEST_IDLE_SECONDS", 0.0)
    assert post(closing).status == 200
    assert closing.connections == 2


def test_what_was_surely_not_sent_is_sent_again(
    closing: ClosingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(closing)
    closing.reset_all()
    # As if it were closed between the look at it and the sending.
    monkeypatch.setattr(deadline.GuardedConnection, "is_connected", True)
    assert post(closing).status == 200
    assert (closing.connections, closing.requests) == (2, 2)


def test_what_may_have_arrived_is_sent_once(closing: ClosingServer) -> None:
    post(closing)
    closing.answers = False
    with pytest.raises(PlatformError) as caught:
        post(closing)
    assert caught.value.code == "reset"
    assert (closing.connections, closing.requests) == (1, 2)
