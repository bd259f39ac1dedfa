"""The API against its own document: inputs that nobody thought of, over the real WSGI application.

The same inputs come every time, and what each of them did is taken back before the next one. People
who sign in here, people of an external issuer and programs with a key call in turn, each with own
connections, schedules and accounts of all apps; right inputs must get each of them to a success.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from django.conf import LazySettings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import given
from hypothesis import settings as examples
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
from connections_project.identity import external_tokens
from connections_project.identity.models import User
from connections_project.server.handler import wsgi_application
from tests.conftest import UseCatalogue
from tests.support.api_seeds import (
    FEED,
    Seeds,
    bearer,
    external_person,
    feed_reader,
    seeds_of,
    with_key,
)
from tests.support.bank import Bank
from tests.support.chirp import Chirp
from tests.support.gallery import SOCIAL, Gallery
from tests.support.issuer import TestIssuer
from tests.support.platform_server import Answer, PlatformServer

EXAMPLES = 20

# Further parameters are ignored, as further fields are, and each call brings its own credentials.
CONFIG = {"generation": {"allow-extra-parameters": False, "with-security-parameters": False}}
SCHEMA = schemathesis.openapi.from_wsgi(
    "/api/schema",
    wsgi_application(),
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
    """Take what the platforms here answer well for what it is: there is no reason for any 5xx."""
    assert response.status_code < 500


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
def callers(
    owner: User,
    service_account: User,
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Seeds]:
    """Return who calls in turn, without limits, and what each of them has."""
    monkeypatch.setattr(throttling, "consume", lambda *_: None)
    monkeypatch.setattr(
        "connections_project.identity.login_attempts.Window.count_attempt", lambda _: None
    )
    open_platforms(server, use_catalogue)
    external_tokens._key_server.cache_clear()
    issuer = TestIssuer(server)
    settings.IDENTITY = issuer.settings()
    reader = feed_reader(service_account)
    local = seeds_of(owner, bearer(owner))
    return [
        local,
        seeds_of(*external_person(issuer)),
        with_key(local, owner),
        replace(local, headers=reader),
    ]


def open_platforms(server: PlatformServer, use_catalogue: UseCatalogue) -> None:
    """Have a platform of each app at one server."""
    bank, chirp, gallery = Bank(server), Chirp(server), Gallery(server)
    more = 'adapter = "tests.support.gallery_adapter"'
    catalogue = bank.catalogue() + chirp.catalogue() + gallery.catalogue(more=more)
    use_catalogue(catalogue, "bank", "chirp", "gallery")
    gallery.open()
    server.on("POST", "/7/posts", Answer(json={"id": 71}))


def callers_of(operation: Any, mode: GenerationMode, callers: list[Seeds]) -> list[Seeds]:
    """Choose who may call it at all: people, programs with a key, or the feed's readers."""
    person, other, program, reader = callers
    if operation.path == FEED:
        return [reader]
    # With wrong inputs a program's own team would stand where a wrong one was meant to.
    has_program = operation.path.startswith(SOCIAL) and mode == GenerationMode.POSITIVE
    return [person, other, program] if has_program else [person, other]


@pytest.fixture
def kept(callers: list[Seeds]) -> Iterator[None]:
    """Keep the database connection of the test, which a request ends otherwise.

    It stands after all calls of Django's own client, since that one turns these signals on again.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def known_ids(operation: Any, mode: GenerationMode, caller: Seeds) -> dict[str, str]:
    """Choose what is own, unless the id is all that a wrong input can be wrong in."""
    is_needed = mode == GenerationMode.NEGATIVE and not (operation.body or operation.query)
    named = {one.name: caller.id_in(operation.path) for one in operation.path_parameters}
    return {} if is_needed else named


def takes_input(operation: Any) -> bool:
    return bool(operation.body or operation.query or operation.path_parameters)


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_input_gets_an_undescribed_answer(
    operation: Any, mode: GenerationMode, callers: list[Seeds], kept: None
) -> None:
    is_right = mode == GenerationMode.POSITIVE
    if not is_right and not takes_input(operation):
        # Nothing can be wrong with it.
        return
    wanted = callers_of(operation, mode, callers)
    # Without input there is one example, which all of them try.
    turns = itertools.cycle([[one] for one in wanted] if takes_input(operation) else [wanted])
    reached: set[Seeds] = set()

    def call(case: Case[Any], caller: Seeds) -> None:
        case.path_parameters |= known_ids(operation, mode, caller)
        with transaction.atomic():
            if is_right:
                caller.fill(case)
            answer = case.call_and_validate(headers=dict(caller.headers), checks=CHECKS)
            transaction.set_rollback(True)
        if answer.status_code < 300:
            reached.add(caller)

    @examples(derandomize=True, database=None, deadline=None, max_examples=EXAMPLES)
    @given(operation.as_strategy(mode))
    def answers_as_described(case: Case[Any]) -> None:
        for caller in next(turns):
            call(case, caller)

    answers_as_described()
    if is_right:
        # Whoever may call it has come to where it does something.
        assert reached == set(wanted)
