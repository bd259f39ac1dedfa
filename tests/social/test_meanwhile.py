"""What happens while the platform is asked: no transaction is open, and a disconnect wins."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity.models import Membership, Team, User
from connections_project.identity.origins import command_origin
from connections_project.revocation.models import RevocationJob
from social.disconnect import disconnect_own
from social.models import SocialAccount
from tests.support.gallery import Gallery, call_back, connect, start
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db(transaction=True)


def during(gallery: Gallery, then: Callable[[], object]) -> None:
    """Have something happen while the platform is asked, as another process would do it."""

    def script(_: Request) -> Answer:
        try:
            then()
        finally:
            connection.close()
        return gallery.identity()

    gallery.server.on("GET", "/me", script)


def end(account: SocialAccount) -> None:
    disconnect_own(account_id=account.pk, team_id=account.team_id, origin=command_origin(None))


def result(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def lose_the_user(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)


def lose_the_sessions(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(sessions_ended_at=timezone.now())


def lose_the_membership(owner: User) -> None:
    Membership.objects.filter(user=owner).delete()


@pytest.mark.parametrize("lose", [lose_the_user, lose_the_sessions, lose_the_membership])
@pytest.mark.parametrize("when", ["before the exchange", "during it"])
def test_a_user_who_left_connects_nothing(
    api: APIClient,
    anonymous: APIClient,
    owner: User,
    gallery: Gallery,
    lose: Callable[[User], None],
    when: str,
) -> None:
    state = start(api)
    if when == "during it":
        during(gallery, lambda: lose(owner))
    else:
        lose(owner)
    assert result(call_back(anonymous, state)) == (400, "Invalid state")
    assert not SocialAccount.objects.exists()
    assert gallery.revoked == (["refresh-1", "access-1"] if when == "during it" else [])


@pytest.mark.parametrize("named", [True, False])
def test_a_disconnect_during_the_call_wins(api: APIClient, gallery: Gallery, named: bool) -> None:
    (account,) = connect(api)
    during(gallery, lambda: end(account))
    more: dict[str, Any] = {"accountIds": [str(account.pk)]} if named else {}
    assert result(call_back(api, start(api, **more))) == (400, "Invalid state")
    row = SocialAccount.objects.get()
    assert not row.is_active
    assert row.opened().access_token == "access-1-of-7"
    assert gallery.revoked == ["refresh-2", "access-2"]


def test_a_siblings_disconnect_spares_the_others(api: APIClient, gallery: Gallery) -> None:
    gallery.accounts = ["7", "8", "9"]
    first, *_ = connect(api)
    during(gallery, lambda: end(first))
    answer = call_back(api, start(api, accountIds=[str(first.pk)]))
    assert answer.json()["connectedCount"] == 2
    assert not SocialAccount.objects.get(pk=first.pk).is_active
    assert not RevocationJob.objects.exists()


def test_an_erasure_meanwhile_is_no_hindrance(api: APIClient, gallery: Gallery, team: Team) -> None:
    """The retention's end changes the tokens of an account that comes back, and not its state."""
    (account,) = connect(api)
    end(account)
    during(gallery, lambda: SocialAccount.objects.update(auth_state=None, has_refresh_token=False))
    assert call_back(api, start(api)).status_code == 201
    assert SocialAccount.objects.get().is_active
