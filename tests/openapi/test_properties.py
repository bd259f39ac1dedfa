"""The API against its own document: inputs that nobody thought of, over the real WSGI application.

The same inputs come every time, and what each of them did is taken back before the next one.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connections_project.api import throttling
from connections_project.identity import sessions
from connections_project.identity.models import User
from connections_project.wsgi import application
from tests.conftest import UseCatalogue
from tests.support.bank import Bank, connect
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.chirp import Chirp

# Further parameters are ignored, as further fields are, and each call brings its own credentials.
CONFIG = {"generation": {"allow-extra-parameters": False, "with-security-parameters": False}}
SCHEMA = schemathesis.openapi.from_wsgi(
    "/api/schema",
    application,
    config=SchemathesisConfig.from_dict(CONFIG),
    headers={"Accept": "application/json"},
)
# Sorted, so that all workers of a run agree on the tests.
OPERATIONS: list[Any] = sorted(
    (
        found.ok()  # type: ignore[union-attr]  # An Err would raise here, as it should.
        for found in SCHEMA.get_all_operations()
    ),
    key=lambda operation: operation.label,
)


def no_defect(_: Any, response: schemathesis.Response, __: Case[Any]) -> None:
    """Take 502 and 503 for what they are: answers."""
    assert response.status_code != 500


CHECKS = [
    no_defect,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]


@pytest.fixture
def ids(
    api: Any,
    owner: User,
    bank: Bank,
    use_catalogue: UseCatalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """Return the id of something own of each kind, on which calls without limit can be tried."""
    monkeypatch.setattr(throttling, "consume", lambda *_: None)
    monkeypatch.setattr(
        "connections_project.identity.login_attempts.Window.count_attempt", lambda _: None
    )
    use_catalogue(bank.catalogue() + Chirp(bank.server).catalogue(), "bank", "chirp")
    channel = channel_of(owner)
    return {
        "": str(connect(api).pk),
        "/api/v1/channels": str(channel.pk),
        "/api/v1/schedules": str(schedule_of(channel).pk),
    }


@pytest.fixture
def bearer(owner: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {sessions.begin(owner).access_token}"}


@pytest.fixture
def kept(ids: dict[str, str]) -> Iterator[None]:
    """Keep the database connection of the test, which a request ends otherwise.

    It stands after all calls of Django's own client, since that one turns these signals on again.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def known_ids(operation: Any, mode: GenerationMode, ids: dict[str, str]) -> dict[str, str]:
    """Choose what is own, unless the id is all that a wrong input can be wrong in."""
    is_needed = mode == GenerationMode.NEGATIVE and not (operation.body or operation.query)
    if is_needed or "{id}" not in operation.path:
        return {}
    return {"id": ids[max((kind for kind in ids if operation.path.startswith(kind)), key=len)]}


def takes_input(operation: Any) -> bool:
    return bool(operation.body or operation.query or operation.path_parameters)


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_input_gets_an_undescribed_answer(
    operation: Any,
    mode: GenerationMode,
    ids: dict[str, str],
    bearer: dict[str, str],
    kept: None,
) -> None:
    if mode == GenerationMode.NEGATIVE and not takes_input(operation):
        # Nothing can be wrong with it.
        return
    known = known_ids(operation, mode, ids)

    @settings(derandomize=True, database=None, deadline=None, max_examples=25)
    @given(operation.as_strategy(mode, path_parameters=known))
    def answers_as_described(case: Case[Any]) -> None:
        with transaction.atomic():
            case.call_and_validate(headers=bearer, checks=CHECKS)
            transaction.set_rollback(True)

    answers_as_described()
