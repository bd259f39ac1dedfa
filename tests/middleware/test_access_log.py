"""One line for each request: who asked for what, how it ended, how long it took; no query."""

import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from connections_project.core.logs import ConsoleFormatter, JsonFormatter, QueryFilter
from connections_project.identity.models import User

pytestmark = pytest.mark.django_db
LOGGER = "connections_project.access"


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Return the lines of the access log, as the service's own handler has written them."""

    def lines() -> list[dict[str, Any]]:
        records = [one for one in caplog.records if one.name == LOGGER]
        return [json.loads(JsonFormatter().format(one)) for one in records]

    return lines


def test_a_line_has_route_status_time_and_principal(
    api: APIClient, owner: User, lines: Lines
) -> None:
    api.get("/api/v1/providers?active_only=true")
    (line,) = lines()
    assert isinstance(line.pop("duration_ms"), float)
    assert {name: line[name] for name in ("method", "path", "route", "status", "principal_id")} == {
        "method": "GET",
        "path": "/api/v1/providers",
        "route": "api/v1/providers",
        "status": 200,
        "principal_id": str(owner.pk),
    }
    assert re.fullmatch(rf"GET /api/v1/providers 200 \d+\.\d ms {owner.pk}", line["message"])


@pytest.mark.parametrize("path", ["/" + "a" * 60_000, "/" + "%FF" * 20_000])
def test_a_long_path_makes_no_long_line(client: Client, lines: Lines, path: str) -> None:
    """Anybody may send one, and fill the log."""
    client.get(path)
    (line,) = lines()
    assert (line["path"][0], len(line["path"])) == ("/", 500)
    assert len(json.dumps(line)) < 1500


def test_the_line_bears_the_trace_id_of_the_answer(client: Client, lines: Lines) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    client.get("/nowhere", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    (line,) = lines()
    assert line["trace_id"] == trace_id


def test_no_query_stands_in_it(anonymous: APIClient, lines: Lines) -> None:
    query = "code=the-secret-code&state=the-secret-state"
    for path in ("/api/v1/providers/callback", "/oauth/callback/bank", "/nowhere", "/healthz"):
        anonymous.get(f"{path}?{query}")
        anonymous.put(f"{path}?{query}")
    assert len(lines()) == 7
    assert "secret" not in json.dumps(lines())


def test_a_path_can_t_forge_a_line(client: Client, lines: Lines) -> None:
    client.get("/nowhere%0A2026-01-01 INFO forged%3Fcode=secret")
    (line,) = lines()
    assert "\n" not in line["message"]
    assert line["path"].startswith("/nowhere%0A2026")


def test_a_session_is_not_asked_for_just_to_log_it(
    client: Client, operator: User, lines: Lines, django_assert_num_queries: Any
) -> None:
    client.force_login(operator)
    with django_assert_num_queries(0):
        client.get("/nowhere")
    assert lines()[-1]["principal_id"] is None


def test_a_session_principal_is_named_if_asked_for(
    client: Client, operator: User, lines: Lines
) -> None:
    client.force_login(operator)
    client.get("/admin/")
    assert lines()[-1]["principal_id"] == str(operator.pk)


@pytest.mark.django_db(transaction=True)
def test_probes_that_succeed_leave_no_line(client: Client, lines: Lines) -> None:
    for path in ("/healthz", "/readyz"):
        client.get(path)
    assert lines() == []
    client.post("/healthz")
    assert [line["status"] for line in lines()] == [405]


def test_a_traceback_s_addresses_lose_their_query_too() -> None:
    try:
        raise RuntimeError("no answer from https://bank.example.com/token?code=secret&state=secret")
    except RuntimeError as error:
        record = logging.LogRecord("any", logging.ERROR, "", 0, "failed", (), None)
        record.exc_info = (type(error), error, error.__traceback__)
    assert QueryFilter().filter(record)
    for formatter in (JsonFormatter(), ConsoleFormatter()):
        written = formatter.format(record)
        assert "https://bank.example.com/token" in written.replace("\\n", "\n").splitlines()[-1]
        assert "secret&" not in written.split("RuntimeError: ")[-1]


def test_no_row_stands_in_a_traceback() -> None:
    """PostgreSQL shows what it has refused, such as a person with the hash of a password."""
    words = "violates check constraint\nDETAIL:  Failing row contains (a@b.c, $6$x)."
    try:
        raise ValueError(words)
    except ValueError:
        text = ConsoleFormatter().formatException(sys.exc_info())
    assert "violates check constraint" in text
    assert "Failing row" not in text
