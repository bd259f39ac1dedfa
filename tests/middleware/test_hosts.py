"""Probes come by address, under any Host or none; everything else is asked by its name."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.support.real_server import RSGI, exchange, request, serving, status_of

pytestmark = pytest.mark.django_db
HOSTS = ["10.1.2.3:8000", "[fe80::1]", "elsewhere.example", "a b", "..", "[", "a:b:c", "\xe4"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(*RSGI) as port:
        yield port


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_answered_whatever_the_host(port: int, path: str, host: str) -> None:
    answer = exchange(port, request("GET", path, f"Host: {host}", "Connection: close"))
    own = exchange(port, request("GET", path, "Host: localhost", "Connection: close"))
    assert status_of(answer) == status_of(own) != 400


def test_and_without_one(port: int) -> None:
    assert b" 200 " in exchange(port, b"GET /healthz HTTP/1.0\r\n\r\n")[:20]


@pytest.mark.parametrize("host", HOSTS)
def test_so_are_metrics(client: Client, settings: LazySettings, host: str) -> None:
    settings.METRICS_TOKEN = "token-of-metrics"
    headers = {"Authorization": "Bearer token-of-metrics"}
    assert client.get("/metrics", headers=headers, HTTP_HOST=host).status_code == 200
    assert client.get("/metrics", HTTP_HOST=host).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/platforms", "/sign-in", "/healthz/", "/metricsx"])
def test_anything_else_is_not(client: Client, path: str) -> None:
    assert client.get(path, HTTP_HOST="elsewhere.example").status_code == 400
