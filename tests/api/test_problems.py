"""Problem details say what RFC 9457 and the contract ask for, and no more."""

from typing import Any

from django.test import Client


def test_a_problem_has_type_instance_and_trace(site: Client) -> None:
    response = site.get("/api/nothing/here?code=very-secret")
    assert response.json() == {
        "type": "https://api.dashtam.com/errors/not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing here.",
        "instance": "/api/nothing/here",
        "trace_id": response["X-Trace-Id"],
    }


def test_the_base_of_types_is_a_setting(site: Client, settings: Any) -> None:
    settings.PROBLEM_TYPE_BASE_URL = "https://errors.example/"
    assert site.get("/api/nothing").json()["type"] == "https://errors.example/not_found"


def test_the_instance_is_a_uri_reference(site: Client) -> None:
    assert site.get("/api/%C3%A4%20b").json()["instance"] == "/api/%C3%A4%20b"


def test_validation_names_each_field_by_its_path(site: Client) -> None:
    body = {"text": "far too long for it", "tags": ["ok", "long"]}
    response = site.post("/api/open", body, content_type="application/json")
    problem = response.json()
    assert (response.status_code, problem["title"]) == (400, "Validation Failed")
    assert [(one["field"], one["code"]) for one in problem["errors"]] == [
        ("text", "max_length"),
        ("tags.1", "max_length"),
    ]
    assert all(one["message"] for one in problem["errors"])
