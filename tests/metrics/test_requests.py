"""How requests are counted."""

import uuid

import pytest
from django.test import Client
from rest_framework.test import APIClient

from connections_project.identity.models import User
from tests.metrics.conftest import Scrape, key
from tests.support.bank import Bank
from tests.support.metric_values import metric_value
from tests.support.provider_rows import connection_of

COUNT = "connections_http_request_duration_seconds_count"


def test_requests_count_by_method_route_and_status(
    api: APIClient, owner: User, bank: Bank, scrape: Scrape
) -> None:
    connection = connection_of(owner)
    labels = {"method": "GET", "route": "api/v1/providers/<str:id>"}
    found, missed = key(COUNT, **labels, status="200"), key(COUNT, **labels, status="404")
    before = scrape()
    api.get(f"/api/v1/providers/{connection.pk}")
    for _ in range(3):
        api.get(f"/api/v1/providers/{uuid.uuid4()}")
    after = scrape()
    assert after[found] - before.get(found, 0) == 1
    assert after[missed] - before.get(missed, 0) == 3


def test_made_up_paths_share_one_series(anonymous: APIClient, scrape: Scrape) -> None:
    before = set(scrape())
    for number in range(20):
        anonymous.get(f"/made-up/{number}")
        anonymous.generic(f"MADEUP{number}", "/healthz")
        anonymous.get(f"/api/v1/providers/made-up-{number}")
        anonymous.get(f"/api/v1/platforms?app={number}")
    new = {(name, dict(labels).get("route")) for name, labels in set(scrape()) - before}
    routes = {route for name, route in new if name == COUNT}
    assert routes <= {"none", "healthz", "metrics", "api/v1/providers/<str:id>", "api/v1/platforms"}
    assert not [name for name, _ in new if "made-up" in name]


def test_durations_fall_into_their_buckets(client: Client) -> None:
    labels = {"method": "GET", "route": "healthz", "status": "200"}
    bucket = "connections_http_request_duration_seconds_bucket"
    before = [metric_value(bucket, **labels, le=le) for le in ("10.0", "+Inf")]
    client.get("/healthz")
    assert [metric_value(bucket, **labels, le=le) for le in ("10.0", "+Inf")] == [
        number + 1 for number in before
    ]


def test_errors_before_the_views_are_counted(anonymous: APIClient) -> None:
    labels = {"method": "POST", "route": "none", "status": "413"}
    before = metric_value(COUNT, **labels)
    body = " " * (1024 * 1024 + 1)
    answer = anonymous.generic("POST", "/api/v1/providers", body, "application/json")
    assert answer.status_code == 413
    assert metric_value(COUNT, **labels) == before + 1


def test_a_view_that_fails_is_counted_as_500(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("connections_project.core.health.JsonResponse", None)
    labels = {"method": "GET", "route": "healthz", "status": "500"}
    before = metric_value(COUNT, **labels)
    assert client.get("/healthz").status_code == 500
    assert metric_value(COUNT, **labels) == before + 1
