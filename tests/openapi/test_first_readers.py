"""Several who read the document at once, as the first ones of a process."""

import subprocess
import sys
import threading

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from connections_project.api import schema
from tests.support.process_environment import ROOT

READERS = """
import threading, time
import django
django.setup()
from django.test import Client
from drf_spectacular import plumbing

load = plumbing.import_string

def load_slowly(name):
    # Long enough for the others to come to the same extension.
    time.sleep(0.02)
    return load(name)

plumbing.import_string = load_slowly
start, answers = threading.Barrier(8), []

def read():
    start.wait()
    answers.append(Client(raise_request_exception=False).get("/api/schema"))

threads = [threading.Thread(target=read) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert {answer.status_code for answer in answers} == {200}
assert len({answer.content for answer in answers}) == 1
assert b"securitySchemes" in answers[0].content
"""


def test_they_all_get_the_same_whole_document() -> None:
    # In a process of its own, since what is loaded at the first reading stays loaded.
    command = [sys.executable, "-c", READERS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_crowd_leaves_threads_to_others(
    anonymous: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(schema, "_written", {})
    monkeypatch.setattr(schema, "_first_readers", lambda: places)
    with places:
        refused = anonymous.get("/api/schema")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert anonymous.get("/api/schema").status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "application/vnd.oai.openapi"])
def test_it_is_written_once_in_a_process(
    anonymous: APIClient, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    first = anonymous.get("/api/schema", headers={"Accept": accept})
    monkeypatch.setattr(SchemaGenerator, "get_schema", None)
    again = anonymous.get("/api/schema", headers={"Accept": f"{accept}; indent=8"})
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Content-Type"] == first.headers["Content-Type"]


def test_what_one_reader_asks_for_is_shown_to_no_other(
    anonymous: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_written", {})
    anonymous.get("/api/schema?version=of-the-first-reader")
    answer = anonymous.get("/api/schema")
    assert b"of-the-first-reader" not in answer.content
    assert "of-the-first-reader" not in answer.headers["Content-Disposition"]
