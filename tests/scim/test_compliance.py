"""The SCIM interface as scim2-tester judges it, over the service's own WSGI application."""

from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from connections_project.server.handler import wsgi_application
from tests.scim.conftest import Directory


@pytest.fixture
def _open_connections() -> Iterator[None]:
    """Keep the test's transaction open over requests, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("_open_connections")
def test_the_whole_suite_passes(directory: Directory) -> None:
    client = WSGISCIMClient(
        wsgi_application(),
        base_url="https://localhost:8000/scim/v2",
        headers={"Authorization": f"Bearer {directory.token}"},
    )
    results = check_server(client)
    wrong = [one for one in results if one.status not in {Status.SUCCESS, Status.SKIPPED}]
    assert not wrong, [f"{one.title}: {one.reason}" for one in wrong]
    assert sum(one.status == Status.SUCCESS for one in results) > 35
