"""Who may see the metrics."""

import pytest
from django.conf import LazySettings
from django.test import Client

TOKEN = "a token for the metrics"

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(settings: LazySettings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_opens_them(client: Client, token: str, scheme: str) -> None:
    client.get("/healthz")
    answer = client.get("/metrics", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert "no-store" in answer["Cache-Control"]
    assert b"# TYPE connections_http_request_duration_seconds histogram" in answer.content


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer \xe9"])
def test_without_the_token_they_stay_closed(client: Client, token: str, header: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert b"connections_" not in answer.content
    assert token.encode() not in answer.content


def test_without_a_token_loopback_is_refused_too(client: Client, settings: LazySettings) -> None:
    """A proxy on the same host would let the whole world come from there."""
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer"}).status_code == 403


def test_in_development_loopback_needs_no_token(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN, settings.DEBUG = "", True
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 403


def test_openmetrics_is_served_on_request(client: Client, token: str) -> None:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/openmetrics-text; version=1.0.0",
    }
    answer = client.get("/metrics", headers=headers)
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


@pytest.mark.parametrize("media", ["application/openmetrics-text", "text/plain"])
@pytest.mark.parametrize(
    "version", ["x", "9e999", "1..2", "", "1.0.\u0663", "99", "-1", "1.0.0;escaping=x"]
)
def test_an_odd_version_is_none(client: Client, token: str, media: str, version: str) -> None:
    accept = f"{media};version={version}".encode().decode("latin-1")
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert b"# TYPE connections_http_request_duration_seconds" in answer.content


def test_they_can_only_be_read(client: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert client.post("/metrics", headers=headers).status_code == 405
    assert client.head("/metrics", headers=headers).status_code == 200
