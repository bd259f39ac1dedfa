"""The whole service under a probe that looks for secrets."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from connections_project.identity.models import User
from connections_project.oauth.client import ClientRegistration
from tests.conftest import UseCatalogue
from tests.support.bank import REDIRECT_URI
from tests.support.echo_bank import EchoBank
from tests.support.platform_server import PlatformServer
from tests.support.token_probe import ProbedClient, ProbeHandler, TokenProbe

CLIENT_SECRET = "client+secret/of&ours=0123456789"
PASSWORD = "tr0ub4dor & 3 horses of the owner"


@pytest.fixture
def probe(transactional_db: None, settings: LazySettings) -> Iterator[TokenProbe]:
    """Read all loggers at their finest, SQL with its parameters among them."""
    probe = TokenProbe()
    probe.add_secret("client secret", CLIENT_SECRET)
    probe.add_secret("password", PASSWORD)
    keys = [settings.SECRET_KEY, *settings.CREDENTIAL_KEYS]
    probe.add_secret("key", *keys)
    handler = ProbeHandler(probe)
    with _all_loggers_open(handler):
        connection.force_debug_cursor = True
        yield probe
        connection.force_debug_cursor = False


class _all_loggers_open:  # noqa: N801 - reads as a verb where it is used.
    def __init__(self, handler: ProbeHandler) -> None:
        self.handler = handler
        names = [None, *logging.root.manager.loggerDict]
        self.loggers = [logging.getLogger(name) for name in names]
        self.before = [(one, one.level, one.propagate, one.disabled) for one in self.loggers]

    def __enter__(self) -> None:
        for one in self.loggers:
            one.propagate, one.disabled = True, False
            one.setLevel(logging.DEBUG)
        logging.root.addHandler(self.handler)

    def __exit__(self, *_: object) -> None:
        logging.root.removeHandler(self.handler)
        for one, level, propagate, disabled in self.before:
            one.setLevel(level)
            one.propagate, one.disabled = propagate, disabled


@pytest.fixture
def owner(probe: TokenProbe) -> User:
    return User.objects.create_user("owner@example.com", PASSWORD)


@pytest.fixture
def client(probe: TokenProbe) -> ProbedClient:
    """A client that is not signed in."""
    return ProbedClient(probe)


@pytest.fixture
def api(owner: User, probe: TokenProbe) -> ProbedClient:
    """The owner's client, signed in by password."""
    client = ProbedClient(probe)
    body = {"email": owner.email, "password": PASSWORD}
    token = client.post("/api/v1/auth/login", body, format="json").json()["access_token"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def bank(
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    probe: TokenProbe,
    monkeypatch: pytest.MonkeyPatch,
) -> EchoBank:
    made = EchoBank(server, probe=probe)
    use_catalogue(made.catalogue(), "bank")
    settings.OAUTH_CLIENTS["bank"] = asdict(
        ClientRegistration("ours", CLIENT_SECRET, (REDIRECT_URI,))
    )
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    made.open()
    return made


@pytest.fixture
def superuser(probe: TokenProbe) -> User:
    user = User.objects.create_user("root@example.com", PASSWORD, is_staff=True)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    user.refresh_from_db()
    return user


@pytest.fixture
def leaks(
    probe: TokenProbe, superuser: User, capfd: pytest.CaptureFixture[str]
) -> Callable[[], list[str]]:
    """Search everywhere, and name what has leaked."""

    def leaks() -> list[str]:
        # What the service has asked is said; its own questions below are by keys.
        connection.force_debug_cursor = False
        probe.read_admin(superuser)
        probe.read_database()
        probe.read_cache()
        printed: Any = capfd.readouterr()
        probe.read("standard output", printed.out)
        probe.read("standard error", printed.err)
        return probe.leaks()

    return leaks
