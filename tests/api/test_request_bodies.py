"""Whatever a body holds, it is taken or refused with words, never a 500."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

DEEP = "[" * 100_000
WRONG = {
    "malformed": (b'{"text": ', "body"),
    "not UTF-8": (b'{"text": "\xff"}', "body"),
    "UTF-16": ('{"text": "a"}'.encode("utf-16"), "body"),
    "a list": (b"[]", "body"),
    "a number": (b"1", "body"),
    "null": (b"null", "body"),
    "NaN": (b'{"text": NaN}', "body"),
    "deep and open": (DEEP.encode(), "body"),
    "deep and closed": (f'{{"text": {DEEP}{"]" * 100_000}}}'.encode(), "body"),
    "a huge number": (b'{"text": ' + b"9" * 5000 + b"}", "body"),
    "NUL": (b'{"text": "a\\u0000"}', "text"),
    "NUL further down": (b'{"text": "a", "tags": [["\\u0000"]]}', "tags"),
    "NUL in a name below": (b'{"text": {"\\u0000": 1}}', "text"),
    "NUL in a name": (b'{"\\u0000": 1}', "body"),
    "half a pair": (b'{"text": "\\ud800"}', "text"),
    "missing": (b"{}", "text"),
    "nothing": (b"", "text"),
    "a wrong type": (b'{"text": {}}', "text"),
}


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("path", ["/api/open", "/api/fake/open"])
def test_a_wrong_body_is_400_and_names_the_field(
    site: Client, path: str, body: bytes, field: str
) -> None:
    response = site.post(path, body, content_type="application/json")
    result = response.json()
    fields = (
        result["fake"]["fields"] if "fake" in result else [e["field"] for e in result["errors"]]
    )
    assert (response.status_code, fields) == (400, [field])


def test_unknown_fields_are_ignored(site: Client) -> None:
    body = {"text": "ä €", "further": {"deep": [1]}}
    response = site.post("/api/open", json.dumps(body), content_type="application/json")
    assert (response.status_code, response.json()) == (201, {"text": "ä €"})


def test_a_body_nested_as_deep_as_json_reads_passes(site: Client) -> None:
    body = f'{{"text": "a", "further": {"[" * 500}{"]" * 500}}}'
    assert site.post("/api/open", body, content_type="application/json").status_code == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "", "multipart/form-data"])
def test_another_media_type_is_415(site: Client, media_type: str) -> None:
    response = site.post("/api/open", b'{"text": "a"}', content_type=media_type)
    assert (response.status_code, response.json()["title"]) == (415, "Unsupported Media Type")


@pytest.mark.parametrize("view", ["/api/open", "/api/plain/body", "/api/nothing"])
def test_a_body_over_1_mib_is_413_before_it_is_read(site: Client, view: str) -> None:
    response = site.post(view, b"x" * (1024 * 1024 + 1), content_type="application/json")
    assert (response.status_code, response.json()["title"]) == (413, "Payload Too Large")


def test_the_announced_length_alone_decides(site: Client) -> None:
    response = site.generic("POST", "/api/fake/open", b"{}", CONTENT_LENGTH="1048577")
    assert (response.status_code, response.json()["fake"]["code"]) == (413, "payload_too_large")


def test_a_body_of_1_mib_is_read(site: Client) -> None:
    body = b'{"text": "a", "further": "' + b"x" * (1024 * 1024 - 28) + b'"}'
    assert len(body) == 1024 * 1024
    assert site.post("/api/open", body, content_type="application/json").status_code == 201


@pytest.mark.parametrize("size", [128 * 1024, 128 * 1024 + 1])
def test_a_form_of_a_page_has_at_most_128_kib(site: Client, size: int) -> None:
    kind = "application/x-www-form-urlencoded"
    answer = site.post("/outside/body", b"a=" + b"x" * (size - 2), content_type=kind)
    assert (answer.status_code == 413) == (size > 128 * 1024)
    assert b"a form 128 KiB" in answer.content or answer.status_code == 200


PART = b'--b\r\nContent-Disposition: form-data; name="a"%s\r\n\r\nx\r\n'
FIELD, FILE = PART % b"", PART % b'; filename="f"'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("parts", "status"), [(FIELD * 1000, 200), (FIELD * 1001, 400), (FILE, 400)]
)
def test_a_form_of_a_page_has_1000_fields_and_no_file(
    client: Client, parts: bytes, status: int
) -> None:
    kind = "multipart/form-data; boundary=b"
    answer = client.post("/sign-in", parts + b"--b--\r\n", content_type=kind)
    assert answer.status_code == status


@pytest.mark.parametrize("number", [20_000, 20_001])
def test_a_body_of_too_many_values_is_400(site: Client, number: int) -> None:
    body = {"text": "a", "further": [1] * (number - 2)}
    answer = site.post("/api/open", json.dumps(body), content_type="application/json")
    assert answer.status_code == (201 if number == 20_000 else 400)
    if answer.status_code == 400:
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == ("body", "malformed")
        assert error["message"] == "Give at most 20,000 values."


@pytest.mark.parametrize("length", ["many", "-1", "1.5", "\u0661"])
def test_a_malformed_length_is_400(site: Client, length: str) -> None:
    response = site.generic("POST", "/api/fake/open", b"{}", CONTENT_LENGTH=length)
    assert (response.status_code, response.json()["fake"]["code"]) == (400, "validation_failed")


def test_a_body_that_breaks_off_is_400(site: Client) -> None:
    broken: dict[str, Any] = {"wsgi.input": BytesIO(b"{}"), "CONTENT_LENGTH": "3"}
    assert site.generic("POST", "/outside/body", b"{}", **broken).status_code == 400


@pytest.mark.parametrize("path", ["/outside/body", "/who", "/nowhere", "/static/a.css"])
@pytest.mark.parametrize("length", ["1048577", "1" + "0" * 5000])
def test_outside_the_api_413_is_a_page(site: Client, path: str, length: str) -> None:
    response = site.generic("POST", path, b"{}", CONTENT_LENGTH=length)
    assert response.status_code == 413
    assert b"at most 1 MiB" in response.content


def test_a_form_over_1_mib_is_413(site: Client) -> None:
    assert site.post("/outside/body", {"field": "x" * (1024 * 1024)}).status_code == 413


@pytest.mark.parametrize("query", ["?status=%00", "?a=1&status=x%00y&b=2", "?status=ok&status=%00"])
def test_nul_in_the_query_is_400_with_the_parameter(site: Client, query: str) -> None:
    response = site.get(f"/api/open{query}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "status")
