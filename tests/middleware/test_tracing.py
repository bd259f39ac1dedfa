"""One trace id for a request, its answer and its log lines."""

import logging
import re
from collections.abc import Iterator

import pytest
from django.test import Client

from connections_project.middleware.tracing import (
    TraceIdFilter,
    current_trace_id,
    trace_id_of,
    tracing,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"{TRACE}-00f067aa0ba902b7"

INVALID = {
    "nothing": "",
    "upper case": f"00-{PARENT.upper()}-01",
    "zero trace": f"00-{'0' * 32}-00f067aa0ba902b7-01",
    "zero parent": f"00-{TRACE}-{'0' * 16}-01",
    "version ff": f"ff-{PARENT}-01",
    "too short": f"00-{PARENT}",
    "further fields in version 00": f"00-{PARENT}-01-more",
    "no dash before what follows": f"01-{PARENT}-01more",
    "a line break": f"00-{PARENT}-01\n",
    "two of them": f"00-{PARENT}-01, 00-{PARENT}-01",
}


@pytest.mark.parametrize(
    "header", [f"00-{PARENT}-01", f"00-{PARENT}-00", f"01-{PARENT}-01-more", f" 00-{PARENT}-01 "]
)
def test_a_valid_traceparent_supplies_the_trace_id(header: str) -> None:
    assert trace_id_of(header) == TRACE


@pytest.mark.parametrize("header", INVALID.values(), ids=INVALID.keys())
def test_an_invalid_traceparent_supplies_none(header: str) -> None:
    assert trace_id_of(header) is None


@pytest.mark.parametrize("path", ["/api/open", "/api/nothing", "/api/open/unforeseen", "/nothing"])
def test_every_answer_bears_the_callers_trace_id(site: Client, path: str) -> None:
    response = site.get(path, headers={"traceparent": f"00-{PARENT}-01"})
    assert response["X-Trace-Id"] == TRACE


def test_without_one_each_request_gets_its_own(site: Client) -> None:
    answers = [site.get("/api/open") for _ in range(2)]
    ids = [answer["X-Trace-Id"] for answer in answers]
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert [answer.json()["trace_id"] for answer in answers] == ids
    assert ids[0] != ids[1]


def test_a_job_runs_under_the_trace_id_of_its_cause() -> None:
    outside = current_trace_id()
    with tracing(TRACE):
        assert current_trace_id() == TRACE
    assert current_trace_id() == outside


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Catch what Django logs, as the service's own handler would."""
    caplog.handler.addFilter(TraceIdFilter())
    logging.getLogger("django").addHandler(caplog.handler)
    yield caplog
    logging.getLogger("django").removeHandler(caplog.handler)


@pytest.mark.parametrize("path", ["/api/nothing", "/api/open/unforeseen", "/outside/unforeseen"])
def test_log_lines_bear_the_trace_id_of_the_answer(
    site: Client, logged: pytest.LogCaptureFixture, path: str
) -> None:
    response = site.get(path)
    lines = [record for record in logged.records if path in record.getMessage()]
    assert lines
    assert {vars(record)["trace_id"] for record in lines} == {response["X-Trace-Id"]}
