"""A receiver on loopback, and the feed's reader."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from connections_project.events import audience
from connections_project.identity.models import User
from tests.conftest import SignIn, UseCatalogue
from tests.support.bank import Bank
from tests.support.chirp import Chirp
from tests.support.event_receiver import Receiver, receiver_at
from tests.support.gallery import Gallery
from tests.support.platform_server import PlatformServer


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one process, which looks each time."""
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 0.0)
    audience.forget_audience()


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: LazySettings) -> None:
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.EVENT_RETRY_SECONDS = (0,)


@pytest.fixture
def host() -> Iterator[PlatformServer]:
    with PlatformServer() as running:
        yield running


@pytest.fixture
def receiver(db: None, host: PlatformServer) -> Receiver:
    return receiver_at(host)


@pytest.fixture
def reader(service_account: User, sign_in: SignIn) -> APIClient:
    """A service account that may read the feed."""
    permission = Permission.objects.get(codename="read_events", content_type__app_label="events")
    service_account.user_permissions.add(permission)
    return sign_in(service_account)


@pytest.fixture
def world(server: PlatformServer, use_catalogue: UseCatalogue) -> Iterator[Bank]:
    """Platforms of all three apps, which work; the bank is given, to be told not to."""
    bank = Bank(server)
    with PlatformServer() as one, PlatformServer() as other:
        chirp, gallery = Chirp(one), Gallery(other)
        texts = (each.catalogue() for each in (bank, chirp, gallery))
        use_catalogue("\n".join(texts), "bank", "chirp", "gallery")
        for each in (bank, chirp, gallery):
            each.open()
        yield bank
