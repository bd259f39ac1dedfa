"""The whole service with a witness beside it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from connections_project.identity.models import User
from connections_project.oauth.client import ClientRegistration
from tests.bank import REDIRECT_URI
from tests.conftest import UseCatalogue
from tests.secrets.gossip import GossipingBank
from tests.secrets.witness import Ear, Witness, WitnessedClient
from tests.servers import PlatformServer

CLIENT_SECRET = "client+secret/of&ours=0123456789"
PASSWORD = "tr0ub4dor & 3 horses of the owner"


@pytest.fixture
def witness(transactional_db: None, settings: LazySettings) -> Iterator[Witness]:
    """Hear all loggers at their finest, SQL with its parameters among them."""
    witness = Witness()
    witness.knows("client secret", CLIENT_SECRET)
    witness.knows("password", PASSWORD)
    keys = [settings.SECRET_KEY, *settings.CREDENTIAL_KEYS]
    witness.knows("key", *keys)
    ear = Ear(witness)
    with _all_loggers_open(ear):
        connection.force_debug_cursor = True
        yield witness
        connection.force_debug_cursor = False


class _all_loggers_open:  # noqa: N801 - reads as a verb where it is used.
    def __init__(self, ear: Ear) -> None:
        self.ear = ear
        names = [None, *logging.root.manager.loggerDict]
        self.loggers = [logging.getLogger(name) for name in names]
        self.before = [(one, one.level, one.propagate, one.disabled) for one in self.loggers]

    def __enter__(self) -> None:
        for one in self.loggers:
            one.propagate, one.disabled = True, False
            one.setLevel(logging.DEBUG)
        logging.root.addHandler(self.ear)

    def __exit__(self, *_: object) -> None:
        logging.root.removeHandler(self.ear)
        for one, level, propagate, disabled in self.before:
            one.setLevel(level)
            one.propagate, one.disabled = propagate, disabled


@pytest.fixture
def owner(witness: Witness) -> User:
    return User.objects.create_user("owner@example.com", PASSWORD)


@pytest.fixture
def client(witness: Witness) -> WitnessedClient:
    """A client that is not signed in."""
    return WitnessedClient(witness)


@pytest.fixture
def api(owner: User, witness: Witness) -> WitnessedClient:
    """The owner's client, signed in by password."""
    client = WitnessedClient(witness)
    body = {"email": owner.email, "password": PASSWORD}
    token = client.post("/api/v1/auth/login", body, format="json").json()["access_token"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def bank(
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
) -> GossipingBank:
    made = GossipingBank(server, witness=witness)
    use_catalogue(made.catalogue(), "bank")
    settings.OAUTH_CLIENTS["bank"] = asdict(
        ClientRegistration("ours", CLIENT_SECRET, (REDIRECT_URI,))
    )
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    made.open()
    return made


@pytest.fixture
def superuser(witness: Witness) -> User:
    user = User.objects.create_user("root@example.com", PASSWORD, is_staff=True)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    user.refresh_from_db()
    return user


@pytest.fixture
def leaks(
    witness: Witness, superuser: User, capfd: pytest.CaptureFixture[str]
) -> Callable[[], list[str]]:
    """Look everywhere, and name what was let out."""

    def leaks() -> list[str]:
        witness.reads_the_admin(superuser)
        connection.force_debug_cursor = False
        witness.reads_the_database()
        witness.reads_the_cache()
        printed: Any = capfd.readouterr()
        witness.hears("standard output", printed.out)
        witness.hears("standard error", printed.err)
        return witness.leaks()

    return leaks
