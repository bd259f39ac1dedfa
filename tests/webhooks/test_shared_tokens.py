"""A platform's notice about accounts that live on one set of tokens."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.connections.errors import NotActiveError
from connections_project.connections.refresh import refreshed_for_use
from connections_project.identity.origins import command_origin
from connections_project.revocation.models import GrantHold
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.support.gallery import Gallery, connect, pending_tokens
from tests.support.meta_webhooks import send
from tests.support.webhook_signing import signed_request

ORIGIN = command_origin(None)


@pytest.fixture
def gallery(server: Any, db: None) -> Gallery:
    made = Gallery(server)
    made.open()
    return made


@pytest.fixture
def trio(api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue) -> list[SocialAccount]:
    table = gallery.catalogue(
        token="", revocation='blast_radius = "token"', more='deauthorization = "meta"'
    )
    use_catalogue(table, "gallery")
    gallery.accounts = ["7", "8", "9"]
    return connect(api)


def send_notice(anonymous: APIClient, settings: Any, **claims: Any) -> Any:
    secret = settings.OAUTH_CLIENTS["gallery"]["client_secret"]
    return send(anonymous, signed_request(secret, user_id="person-1", **claims))


def test_all_end_and_no_revocation_is_sent_or_left(
    anonymous: APIClient, trio: list[SocialAccount], gallery: Gallery, settings: Any
) -> None:
    gallery.server.requests.clear()

    assert send_notice(anonymous, settings).status_code == 200

    for row in trio:
        row.refresh_from_db()
        assert (row.is_active, row.status, row.auth_state) == (False, "disconnected", None)
        with pytest.raises(NotActiveError):
            refreshed_for_use(row, origin=ORIGIN, force=True)
    assert (gallery.server.requests, pending_tokens()) == ([], [])
    assert not GrantHold.objects.exists()


def test_one_connected_since_lives_on_and_refreshes(
    anonymous: APIClient, trio: list[SocialAccount], gallery: Gallery, settings: Any
) -> None:
    newer = trio[2]
    older = [trio[0].pk, trio[1].pk]
    an_hour_ago = timezone.now() - timedelta(hours=1)
    SocialAccount.objects.filter(pk__in=older).update(connected_at=an_hour_ago)

    send_notice(anonymous, settings, issued_at=int(timezone.now().timestamp()) - 60)

    assert not SocialAccount.objects.filter(pk__in=older, auth_state__isnull=False).exists()
    fresh = refreshed_for_use(newer, origin=ORIGIN, force=True)
    assert fresh.opened().access_token == "access-2"
    assert not SocialAccount.objects.filter(pk__in=older, auth_state__isnull=False).exists()
