"""The cast, the service as its clients see it, and a bank on loopback to connect to."""

import math
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from django.conf import LazySettings
from django.core.cache import cache, caches
from django.dispatch import receiver
from django.test import TransactionTestCase
from django.test.signals import setting_changed
from rest_framework.test import APIClient

from connections_project.api import rate_limits
from connections_project.api.token_buckets import MemoryBuckets, now_in_microseconds
from connections_project.core import storable
from connections_project.core.clock import database_clock
from connections_project.events import audience
from connections_project.identity import sessions
from connections_project.identity.models import User
from connections_project.oauth import catalog as catalog_files
from connections_project.oauth import catalog_tables
from connections_project.oauth.client import ClientRegistration
from connections_project.platforms import pictures
from connections_project.platforms.catalog import catalog
from tests.support.bank import REDIRECT_URI, Bank
from tests.support.emptying import empty_tables, remember_what_is_kept
from tests.support.fast_commits import commit_without_disk
from tests.support.platform_server import PlatformServer
from tests.support.shipped_catalogs import parsing_shipped_once, reading_shipped_once
from tests.support.stacks import FIRST, SECOND, is_left_to_the_other
from tests.support.transaction_guard import no_second_connection

# Tests move the host's clock, so that one is to count; tests/core/test_clock.py reads the other.
database_clock.next_reading = math.inf
# Asked once a second, it would be counted by chance; tests/connections/test_storable.py asks it.
storable.memory.good_until = math.inf
PASSWORD = "correct horse battery staple"
LOOPBACK = ("127.", "::1", "localhost")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-of-two",
        choices=(FIRST, SECOND),
        help="leave out what runs on the other of the two stacks alone",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if stack := config.getoption("--one-of-two"):
        left = {one for one in items if is_left_to_the_other(one, stack)}
        config.hook.pytest_deselected(items=list(left))
        items[:] = [one for one in items if one not in left]


@receiver(setting_changed)
def read_the_catalogue_again(*, setting: str, **_: Any) -> None:
    if setting == "CATALOG_FILES":
        catalog.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Let nothing reach further than this machine."""
    connect = socket.socket.connect

    def connect_to_loopback(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"A test tried to reach {address[0]}.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_to_loopback)
        yield


@pytest.fixture(scope="session", autouse=True)
def _shipped_catalogs_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        parse = parsing_shipped_once(catalog_files._parsed)
        read = reading_shipped_once(catalog_tables._platform, parse)
        patch.setattr(catalog_files, "_parsed", parse)
        patch.setattr(catalog_tables, "_platform", read)
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Let the processes that tests start be interrupted.

    A shell starts what runs in the background with SIGINT ignored (POSIX, section 2.11), and
    that is handed down; a handler is not, so that children begin with the default.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Have transactional tests end as tests/support/emptying.py says."""
    with django_db_blocker.unblock():
        commit_without_disk()
        remember_what_is_kept()
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _no_thread_waits_for_its_test() -> Iterator[None]:
    with no_second_connection():
        yield


@pytest.fixture(autouse=True)
def _nobody_listens_yet() -> None:
    audience.forget_audience()


@pytest.fixture(autouse=True)
def _own_checkpoints(settings: LazySettings) -> None:
    """Give each test's audit log a file of checkpoints of its own, as each log must have one."""
    file = Path(settings.AUDIT_HEADS_FILE)
    settings.AUDIT_HEADS_FILE = file.with_name(f"{file.stem}-{uuid4().hex}.jsonl")


@pytest.fixture(autouse=True)
def _fresh_buckets() -> None:
    """Let no test draw on what another one has used up."""
    rate_limits.process_buckets.cache_clear()
    # With Redis this empties the tests' own database, in which the buckets stand too.
    cache.clear()
    caches["login_attempts"].clear()


@pytest.fixture
def still_buckets(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the buckets' clock: a slow machine would fill them between two requests."""
    started = now_in_microseconds()
    buckets = MemoryBuckets(clock=lambda: started)
    real, redis_url = rate_limits._buckets, settings.REDIS_URL
    # A test that names another Redis is about that one.
    monkeypatch.setattr(
        rate_limits,
        "_buckets",
        lambda: buckets if redis_url == settings.REDIS_URL else real(),
    )


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.com", PASSWORD)


@pytest.fixture
def teammate(owner: User) -> User:
    """Shares the owner's team, and owns nothing."""
    user = User.objects.create_user("teammate@example.com", PASSWORD)
    owner.own_team.memberships.create(user=user)
    return user


@pytest.fixture
def outsider(db: None) -> User:
    return User.objects.create_user("outsider@example.com", PASSWORD)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("operator@example.com", PASSWORD, is_staff=True)


@pytest.fixture
def service_account(db: None) -> User:
    return User.objects.create_user("robot@example.com", PASSWORD, principal_type="service")


SignIn = Callable[[User], APIClient]


@pytest.fixture
def sign_in() -> SignIn:
    """Return a client that bears a user's access token."""

    def sign_in(user: User) -> APIClient:
        client = APIClient(raise_request_exception=False)
        token = sessions.begin(user).access_token
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return sign_in


@pytest.fixture
def api(owner: User, sign_in: SignIn) -> APIClient:
    """The API as the owner sees it."""
    return sign_in(owner)


@pytest.fixture
def anonymous(db: None) -> APIClient:
    return APIClient(raise_request_exception=False)


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with PlatformServer() as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority of the tests' own, which nothing trusts by itself."""
    return trustme.CA()


@pytest.fixture
def picture_server(
    authority: trustme.CA,
    settings: LazySettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[PlatformServer]:
    """Serve pictures by https, at an address that is taken as a global one would be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    settings.IMAGE_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    pictures._client.cache_clear()
    with PlatformServer(tls=context) as running:
        yield running
    pictures._client.cache_clear()


UseCatalogue = Callable[..., None]


@pytest.fixture
def use_catalogue(settings: LazySettings, tmp_path: Path) -> UseCatalogue:
    """Lay a catalogue over the shipped one, with a client registered at each of its platforms."""

    def use(text: str, *slugs: str, client_id: str = "our client") -> None:
        path = tmp_path / "catalog.toml"
        path.write_text(text, encoding="utf-8")
        settings.CATALOG_FILES = (path,)
        registration = asdict(ClientRegistration(client_id, "client secret", (REDIRECT_URI,)))
        unregistered = asdict(ClientRegistration("", "", (REDIRECT_URI,)))
        settings.OAUTH_CLIENTS = {
            one.slug: registration if one.slug in slugs else unregistered for one in catalog().all()
        }

    return use


@pytest.fixture
def bank(server: PlatformServer, use_catalogue: UseCatalogue) -> Bank:
    """A provider that works, and can be set to fail."""
    made = Bank(server)
    use_catalogue(made.catalogue(), "bank")
    made.open()
    return made
