"""A new password beside what was begun by the old one."""

import time
from contextlib import ExitStack
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity.models import User
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, meanwhile
from tests.support.gallery import Gallery, call_back, start
from tests.support.platform_server import PlatformServer

pytestmark = [
    pytest.mark.races,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows"),
]


@pytest.fixture
def gallery(server: PlatformServer, use_catalogue: UseCatalogue) -> Gallery:
    made = Gallery(server)
    use_catalogue(made.catalogue(), "gallery")
    made.open()
    return made


def test_what_begins_while_it_waits_is_ended(owner: User) -> None:
    """Its moment is when it has the row: until then the old password is good."""
    changed = User.objects.get(pk=owner.pk)
    changed.set_password("another password")
    with ExitStack() as stack:
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=owner.pk)
            saving = stack.enter_context(meanwhile(changed.save))
            time.sleep(0.3)
            began = timezone.now()
        saving.result(PATIENCE)
    assert not User.objects.get(pk=owner.pk).is_good_since(began)


def test_a_teams_callback_waits_for_it(api: APIClient, owner: User, gallery: Gallery) -> None:
    state = start(api)
    with ExitStack() as stack:
        with transaction.atomic():
            owner.set_password("another password")
            owner.save()
            calling = stack.enter_context(meanwhile(partial(call_back, APIClient(), state)))
            time.sleep(0.5)
        assert calling.result(PATIENCE).status_code == 400
    assert not SocialAccount.objects.exists()
    assert gallery.revoked == ["refresh-1", "access-1"]
