"""Every error of a prefix has that prefix's format, whatever raised it, with DEBUG on and off."""

import json
import logging
from typing import Any

import pytest
from django.test import Client

from tests.support.failing_site import SECRET

BASES = ["/api", "/api/fake", "/api/fake/inner"]
KEYS = {"/api/fake": "fake", "/api/fake/inner": "inner"}


@pytest.fixture(params=[False, True], ids=["production", "debug"], autouse=True)
def debug(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.DEBUG = request.param
    return bool(request.param)


@pytest.fixture(params=BASES)
def base(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def code_of(response: Any, base: str) -> str:
    """Read the code out of the base's own format, and nothing else."""
    body = json.loads(response.content)
    if base in KEYS:
        assert response["Content-Type"] == "application/json"
        assert set(body) == {KEYS[base]}
        return str(body[KEYS[base]]["code"])
    assert response["Content-Type"] == "application/problem+json"
    assert body["status"] == response.status_code
    return str(body["type"].removeprefix("https://api.dashtam.com/errors/"))


RAISED = [
    ("http404", 404, "not_found"),
    ("denied", 403, "forbidden"),
    ("suspicious", 400, "validation_failed"),
    ("database", 503, "service_unavailable"),
    ("fault", 409, "conflict"),
    ("unforeseen", 500, "internal_error"),
    ("challenged", 401, "unauthorized"),
    ("wrong-password", 401, "unauthorized"),
]


@pytest.mark.parametrize("view", ["open", "plain"])
@pytest.mark.parametrize(("kind", "status", "code"), RAISED)
def test_exceptions_take_the_format_of_the_path(
    site: Client, base: str, view: str, kind: str, status: int, code: str
) -> None:
    response = site.get(f"{base}/{view}/{kind}")
    assert (response.status_code, code_of(response, base)) == (status, code)
    assert SECRET.encode() not in response.content


@pytest.mark.parametrize("view", ["open", "plain"])
def test_an_app_translates_its_own_errors(site: Client, view: str) -> None:
    response = site.get(f"/api/fake/inner/{view}/foreseen")
    assert (response.status_code, response["Retry-After"]) == (418, "3")
    assert code_of(response, "/api/fake/inner") == "inner_foreseen"


@pytest.mark.parametrize("path", ["/nothing", "/open/", "", "/", "/openx", "/%00", "/%ff"])
def test_an_unknown_path_is_404_in_its_format(site: Client, base: str, path: str) -> None:
    response = site.get(f"{base}{path}")
    assert (response.status_code, code_of(response, base)) == (404, "not_found")


def test_a_prefix_ends_at_a_slash(site: Client) -> None:
    assert code_of(site.get("/api/fakes/nothing"), "/api") == "not_found"
    assert site.get("/apis/nothing")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["put", "options", "trace", "delete"])
def test_another_method_is_405_with_those_allowed(site: Client, base: str, method: str) -> None:
    response = getattr(site, method)(f"{base}/open")
    assert (response.status_code, code_of(response, base)) == (405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_405_from_outside_drf_keeps_its_allow(site: Client, base: str) -> None:
    response = site.post(f"{base}/plain/method")
    assert (response.status_code, code_of(response, base)) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, PUT"


def test_a_reworded_answer_keeps_retry_after(site: Client, base: str) -> None:
    response = site.get(f"{base}/plain/busy")
    assert (response["Retry-After"], code_of(response, base)) == ("7", "service_unavailable")
    assert int(response["Content-Length"]) == len(response.content)


def test_a_refused_host_is_400_in_the_paths_format(site: Client, base: str) -> None:
    response = site.get(f"{base}/open", headers={"Host": "evil.example"})
    assert (response.status_code, code_of(response, base)) == (400, "validation_failed")
    assert b"evil.example" not in response.content


def test_json_is_answered_whatever_the_caller_accepts(site: Client, base: str) -> None:
    for accept in ("text/html", "application/xml", "nonsense"):
        found = site.get(f"{base}/open?format=xml", headers={"Accept": accept})
        assert (found.status_code, found["Content-Type"]) == (200, "application/json")
        missing = site.get(f"{base}/nothing?format=xml", headers={"Accept": accept})
        assert (missing.status_code, code_of(missing, base)) == (404, "not_found")


def test_head_is_get_without_a_body(site: Client, base: str) -> None:
    assert site.head(f"{base}/open").status_code == 200
    missing = site.head(f"{base}/nothing")
    assert (missing.status_code, missing.content) == (404, b"")


def test_every_401_bears_a_challenge(site: Client, base: str) -> None:
    assert site.get(f"{base}/open/challenged")["WWW-Authenticate"] == "Bearer"
    assert site.get(f"{base}/limited")["WWW-Authenticate"] == "Bearer"
    refused = site.get(f"{base}/limited", headers={"Authorization": "Bearer bad"})
    assert refused["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("view", ["open", "plain"])
@pytest.mark.parametrize("kind", ["unforeseen", "database"])
def test_an_unforeseen_error_is_logged_once(
    site: Client, base: str, view: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("django").addHandler(caplog.handler)
    try:
        site.get(f"{base}/{view}/{kind}")
    finally:
        logging.getLogger("django").removeHandler(caplog.handler)
    traced = [record for record in caplog.records if record.exc_info]
    assert len(traced) == 1
    assert SECRET in caplog.text


def test_errors_stay_out_of_caches(site: Client, base: str) -> None:
    assert site.get(f"{base}/nothing")["Cache-Control"] == "no-store"


@pytest.mark.parametrize("kind", ["unforeseen", "suspicious"])
def test_outside_the_prefixes_errors_are_html(site: Client, kind: str) -> None:
    assert site.get(f"/outside/{kind}")["Content-Type"].startswith("text/html")
