"""Browsers' sessions begin and end by the database's clock, whatever the host's shows."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from connections_project.identity.models import User
from tests.support.clocks import host_ahead, read_right

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _read_right(monkeypatch: pytest.MonkeyPatch) -> None:
    read_right(monkeypatch)


def store() -> SessionBase:
    made: SessionBase = import_module(django_settings.SESSION_ENGINE).SessionStore()
    return made


@pytest.mark.parametrize("ahead", [-3600, 3600])
@pytest.mark.parametrize("left", [-60, 60], ids=["dead", "living"])
def test_a_session_ends_by_the_databases_clock(
    operator: User, settings: LazySettings, ahead: int, left: int
) -> None:
    settings.ADMIN_TOTP_REQUIRED = False
    client = Client()
    client.force_login(operator)
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=left))
    with host_ahead(ahead):
        assert (client.get("/admin/").status_code == 200) is (left > 0)


@pytest.mark.parametrize("ahead", [-3600, 3600])
@pytest.mark.parametrize("left", [-60, 60], ids=["dead", "living"])
def test_only_dead_ones_are_cleared(owner: User, ahead: int, left: int) -> None:
    Client().force_login(owner)
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=left))
    with host_ahead(ahead):
        call_command("clearsessions")
    assert Session.objects.exists() is (left > 0)


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_it_lasts_as_long_as_it_is_to(ahead: int) -> None:
    before = timezone.now()
    with host_ahead(ahead):
        session = store()
        session.set_expiry(600)
        session.create()
    stored = Session.objects.get().expire_date - before
    assert timedelta(seconds=590) < stored < timedelta(seconds=660)


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_its_cookie_lasts_as_long(ahead: int) -> None:
    until = timezone.now() + timedelta(hours=12)
    session = store()
    session.set_expiry(until)
    with host_ahead(ahead):
        assert 11.9 * 3600 < session.get_expiry_age() <= 12 * 3600
