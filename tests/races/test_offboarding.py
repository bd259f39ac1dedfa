"""A user goes while others of the user's calls are under way."""

import time
from contextlib import ExitStack
from functools import partial

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import Team, User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from providers.models import Connection
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, Gate, at_once, meanwhile
from tests.support import gallery as social
from tests.support.bank import Bank, call_back, start
from tests.support.gallery import Gallery
from tests.support.platform_server import PlatformServer
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


ORIGIN = command_origin(None)


def deactivate(user: User) -> None:
    offboarding.deactivate(user, reason="left", origin=ORIGIN)


def forget(user: User) -> None:
    offboarding.forget(user, reason="left", origin=ORIGIN)


def test_tokens_after_the_users_leaving_are_revoked(
    owner: User, api: APIClient, bank: Bank
) -> None:
    gate = Gate(bank.identity)
    bank.server.on("GET", "/me", gate)
    state = start(api)
    with meanwhile(lambda: call_back(api, state)) as callback:
        gate.wait_for_visitor()
        deactivate(owner)
        gate.is_open.set()
        assert callback.result().status_code == 400
    assert not Connection.objects.filter(user=owner).exclude(auth_state=None).exists()
    assert bank.revoked == ["refresh-1", "access-1"]


def test_team_tokens_after_the_last_one_are_revoked(
    owner: User, api: APIClient, server: PlatformServer, use_catalogue: UseCatalogue
) -> None:
    gallery = Gallery(server)
    use_catalogue(gallery.catalogue(), "gallery")
    gallery.open()
    gate = Gate(gallery.identity)
    server.on("GET", "/me", gate)
    state = social.start(api)
    with meanwhile(lambda: social.call_back(api, state)) as callback:
        gate.wait_for_visitor()
        deactivate(owner)
        gate.is_open.set()
        assert callback.result().status_code == 400
    assert not SocialAccount.objects.filter(team=owner.own_team, is_active=True).exists()
    assert gallery.revoked


def test_two_last_members_leaving_take_the_accounts(
    owner: User, teammate: User, server: PlatformServer, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(Gallery(server).catalogue(), "gallery")
    account = account_of(owner.own_team)
    at_once([lambda: deactivate(owner), lambda: deactivate(teammate)])
    assert not SocialAccount.objects.get(pk=account.pk).is_active


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows")
def test_who_waits_for_a_team_holds_no_lock_of_a_user(owner: User) -> None:
    """Else those who end access, which lock both in the other order, wait in a ring with it."""
    with ExitStack() as stack:
        with transaction.atomic():
            Team.objects.select_for_update().get(owner=owner)
            identity = partial(offboarding.forget_identity, owner, reason="left", origin=ORIGIN)
            forgetting = stack.enter_context(meanwhile(identity))
            time.sleep(0.3)
            assert not forgetting.done()
            User.objects.select_for_update(nowait=True).get(pk=owner.pk)
        forgetting.result(PATIENCE)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows")
def test_a_batch_that_refers_to_a_leaver_commits(owner: User) -> None:
    """Its commit reads the keys of the user and the teams, which the leaver's end must not bar."""
    row = connection_of(owner, status="disconnected", platform_account_name="Ada")
    offboarding.end_access(owner, reason="left", origin=ORIGIN)
    anonymise = partial(offboarding._anonymise, owner, reason="left", origin=ORIGIN, details=None)
    with ExitStack() as stack:
        with transaction.atomic():
            Connection.objects.select_for_update(no_key=True).get(pk=row.pk)
            forgetting = stack.enter_context(meanwhile(anonymise))
            time.sleep(0.3)
            assert not forgetting.done()
            with connection.cursor() as cursor:
                for table in ("identity_team", "identity_user"):
                    cursor.execute(f"SELECT 1 FROM {table} FOR KEY SHARE NOWAIT")
        forgetting.result(PATIENCE)
    assert User.objects.get(pk=owner.pk).is_forgotten


def test_a_user_forgotten_many_times_at_once(owner: User) -> None:
    at_once([lambda: forget(User.objects.get(pk=owner.pk))] * 4)
    assert AuditEvent.objects.filter(action="user_forgotten").count() == 1
