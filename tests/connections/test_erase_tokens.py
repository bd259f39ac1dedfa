"""Whatever erases tokens leaves nothing of them, nor a row that renewals look at for ever."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.identity.models import User
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions
from social.models import SocialAccount
from social.retention import erase_kept_too_long
from tests.operations.conftest import MAKERS, platforms, use_platforms
from tests.support.bank import Bank
from tests.support.disconnects import disconnect_one

__all__ = ["platforms", "use_platforms"]

pytestmark = pytest.mark.django_db

PLATFORM = Origin(ActorType.PLATFORM, None, Interface.WEBHOOK)
OPERATOR = Origin(ActorType.OPERATOR, None, Interface.COMMAND)

TIMES = ("token_issued_at", "token_expires_at", "grant_expires_at", "renew_at")
NAMES = ("refresh_token_prefix", "refresh_token_hash")


def by_force(row: Any) -> None:
    options = DisconnectOptions("breach", erase_tokens=True)
    assert force_disconnect(row.app, [row.pk], options, origin=OPERATOR).disconnected == 1


def after_an_owner(row: Any) -> None:
    disconnect_one(row)
    by_force(row)


def after_retention(row: Any) -> None:
    disconnect_one(row)
    SocialAccount.objects.update(disconnected_at=timezone.now() - timedelta(days=91))
    assert erase_kept_too_long() == 1


def by_the_platform(row: Any) -> None:
    with transaction.atomic():
        mark_deauthorized([row], origin=PLATFORM, sender="meta")


def by_a_data_deletion(row: Any) -> None:
    with transaction.atomic():
        mark_deauthorized([row], origin=PLATFORM, sender="meta", forget_person=True)


EVERYWHERE = [disconnect_one, by_force, by_the_platform, by_a_data_deletion]
WAYS = [
    *(("providers", way) for way in EVERYWHERE),
    *(("channels", way) for way in EVERYWHERE),
    *(("social", way) for way in EVERYWHERE[1:]),
    ("social", after_an_owner),
    ("social", after_retention),
]


@pytest.mark.parametrize(("app", "erase"), WAYS)
def test_nothing_is_left_of_erased_tokens(
    app: str, erase: Callable[[Any], object], owner: User, platforms: Bank
) -> None:
    row = MAKERS[app][1](owner)
    then = timezone.now()
    leased = {"refresh_lease": owner.pk, "refresh_leased_until": then}
    known = {**dict.fromkeys(TIMES, then), **dict.fromkeys(NAMES, "name"), **leased}
    rows = type(row).objects.filter(pk=row.pk)
    rows.update(**known)
    row.refresh_from_db()
    epoch = row.epoch
    erase(row)
    left = rows.values("auth_state", "has_refresh_token", "epoch", *known).get()
    assert left.pop("epoch") > epoch
    assert left.pop("has_refresh_token") is False
    assert set(left.values()) == {None}
