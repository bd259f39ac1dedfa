"""Every answer of a limited endpoint says what is left of the caller's bucket."""

import time
from typing import Any

import pytest
from django.test import Client

GOOD = {"Authorization": "Bearer good"}
BAD = {"Authorization": "Bearer bad"}


def limit_and_remaining(response: Any) -> tuple[int, int]:
    return int(response["X-RateLimit-Limit"]), int(response["X-RateLimit-Remaining"])


def test_the_bucket_is_shown_on_success(site: Client) -> None:
    response = site.get("/api/limited", headers=GOOD)
    assert (response.status_code, limit_and_remaining(response)) == (200, (2, 1))
    assert int(response["X-RateLimit-Reset"]) == pytest.approx(time.time() + 30, abs=2)
    assert "Retry-After" not in response


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/api/limited", 415), ("GET", "/api/limited/fail", 500)],
)
def test_the_bucket_is_shown_on_errors(site: Client, method: str, path: str, status: int) -> None:
    response = site.generic(method, path, b"x", content_type="text/plain", headers=GOOD)
    assert (response.status_code, limit_and_remaining(response)) == (status, (2, 1))
    assert "Retry-After" not in response


def test_the_bucket_is_shown_with_a_403_too(site: Client) -> None:
    response = site.get("/api/limited", headers={"Authorization": "Bearer banned"})
    assert (response.status_code, limit_and_remaining(response)) == (403, (2, 1))


def test_beyond_the_burst_it_is_429_with_a_wait(site: Client) -> None:
    assert [site.get("/api/limited", headers=GOOD).status_code for _ in range(2)] == [200, 200]
    response = site.get("/api/limited", headers=GOOD)
    assert (response.status_code, limit_and_remaining(response)) == (429, (2, 0))
    assert response.json()["type"].endswith("/rate_limit_exceeded")
    assert 29 <= int(response["Retry-After"]) <= 30
    assert int(response["X-RateLimit-Reset"]) == pytest.approx(time.time() + 60, abs=2)


def test_the_429_has_the_format_of_its_path(site: Client) -> None:
    answers = [site.get("/api/fake/limited", headers=GOOD) for _ in range(3)]
    assert answers[2].json()["fake"]["code"] == "rate_limit_exceeded"


def test_a_policy_counts_each_principal_on_all_paths(site: Client) -> None:
    for path in ("/api/limited", "/api/fake/limited"):
        site.get(path, headers=GOOD)
    assert site.get("/api/fake/inner/limited", headers=GOOD).status_code == 429
    assert site.get("/api/limited", headers={"Authorization": "Bearer banned"}).status_code == 403


@pytest.mark.parametrize("headers", [{}, BAD], ids=["none", "bad"])
def test_a_401_draws_on_the_bucket_of_its_address(site: Client, headers: dict[str, str]) -> None:
    answers = [site.get("/api/limited", headers=headers) for _ in range(60)]
    assert {answer.status_code for answer in answers} == {401}
    assert [limit_and_remaining(answer) for answer in answers] == [
        (60, left) for left in range(59, -1, -1)
    ]
    refused = site.get("/api/fake/limited", headers=headers)
    assert (refused.status_code, limit_and_remaining(refused)) == (429, (60, 0))
    assert refused.json()["fake"]["code"] == "rate_limit_exceeded"
    assert refused["Retry-After"] == "1"
    elsewhere = site.get("/api/limited", headers=headers, REMOTE_ADDR="192.0.2.1")
    assert elsewhere.status_code == 401


@pytest.mark.usefixtures("still_buckets")
def test_good_credentials_pass_an_exhausted_address(site: Client) -> None:
    for _ in range(61):
        site.get("/api/limited")
    assert site.get("/api/limited", headers=GOOD).status_code == 200


def test_a_path_may_word_missing_credentials_itself(site: Client) -> None:
    response = site.get("/api/forbidding")
    assert (response.status_code, limit_and_remaining(response)) == (403, (60, 59))
    assert "WWW-Authenticate" not in response


@pytest.mark.parametrize("path", ["/api/open", "/api/open/challenged", "/api/open/wrong-password"])
def test_an_unlimited_endpoint_shows_no_bucket(site: Client, path: str) -> None:
    assert "X-RateLimit-Limit" not in site.get(path)


def test_another_method_draws_on_nothing(site: Client) -> None:
    response = site.options("/api/limited", headers=GOOD)
    assert response.status_code == 405
    assert "X-RateLimit-Limit" not in response


def test_answers_stay_out_of_caches(site: Client) -> None:
    assert site.get("/api/limited", headers=GOOD)["Cache-Control"] == "no-store"
