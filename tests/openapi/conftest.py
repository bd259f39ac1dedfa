"""The document, and clients that hold answers against it."""

from collections.abc import Callable

import pytest
from django.core.cache import caches

from connections_project.identity import sessions
from connections_project.identity.models import User
from tests.support.openapi_client import ReadingClient
from tests.support.openapi_document import Reader, make_document


@pytest.fixture(autouse=True)
def _nobody_has_guessed() -> None:
    caches["login_attempts"].clear()


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader(make_document())


Reading = Callable[[User | None], ReadingClient]


@pytest.fixture
def reading(reader: Reader, db: None) -> Reading:
    """Return a client that holds every answer against the document, signed in or not."""

    def reading(user: User | None) -> ReadingClient:
        return ReadingClient(reader, sessions.begin(user).access_token if user else "")

    return reading


@pytest.fixture
def owners(reading: Reading, owner: User) -> ReadingClient:
    return reading(owner)
