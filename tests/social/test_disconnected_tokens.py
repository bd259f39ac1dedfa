"""A disconnected account's tokens are there, and reach the platform by no way at all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.connections import refresh as shared
from connections_project.connections.errors import NotActiveError
from connections_project.connections.refresh import refreshed_for_use
from connections_project.connections.renewal import renew_ending_grants
from connections_project.core.periodic import run_due
from connections_project.identity.models import Team
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import TokenSet
from connections_project.oauth.transport import Request
from connections_project.platforms.publishing import PublishSession
from connections_project.platforms.registry import usable
from social.models import SocialAccount
from social.publications import PublishRequest
from social.publish import _still_active, publish_own
from tests.conftest import UseCatalogue
from tests.social.conftest import KeyClient
from tests.support.gallery import SOCIAL, Gallery, disconnect
from tests.support.platform_server import Answer
from tests.support.social_publishing import MORE, publish
from tests.support.social_rows import account_of

ORIGIN = command_origin(None)
KEPT = TokenSet("kept-access", "kept-refresh", expires_in=1)


@pytest.fixture
def account(
    api: APIClient, team: Team, gallery: Gallery, use_catalogue: UseCatalogue
) -> SocialAccount:
    """A disconnected account of whose tokens every use is due: expired, and about to end."""
    more = f'{MORE}\nrefresh = "self_exchange"'
    use_catalogue(gallery.catalogue(more=more), "gallery")
    gallery.server.on("POST", "/7/posts", Answer(json={"id": "71"}))
    row = account_of(team, tokens=KEPT)
    old = timezone.now() - timedelta(days=2)
    SocialAccount.objects.update(
        token_issued_at=old, token_expires_at=old, grant_expires_at=timezone.now()
    )
    assert disconnect(api, row).status_code == 200
    return SocialAccount.objects.get()


def test_they_still_decrypt(account: SocialAccount) -> None:
    assert account.opened().as_payload() == KEPT.as_payload()


def everything(client: APIClient, account: SocialAccount) -> None:
    """Do all that the API has to offer, with every way to name the account."""
    publish(client, account, "key-1")
    publish(client, account)
    client.get(f"{SOCIAL}/accounts")
    client.get(f"{SOCIAL}/accounts?active=false")
    disconnect(client, account)
    client.delete(f"{SOCIAL}/disconnect/{account.pk}")
    body = {"platform": "gallery", "accountIds": [str(account.pk)]}
    client.post(f"{SOCIAL}/connect", body, format="json")


def test_no_endpoint_uses_them(
    api: APIClient, with_key: KeyClient, team: Team, account: SocialAccount, gallery: Gallery
) -> None:
    for client in (api, with_key(team)):
        everything(client, account)
    assert gallery.server.requests == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "command",
    [
        ["run_revocations", "--once"],
        ["rotate_credential_keys"],
        ["disconnect_social", "--all", "--reason", "audit", "--yes"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_uses_them(
    account: SocialAccount, gallery: Gallery, command: list[str], capsys: Any
) -> None:
    call_command(*command)
    assert gallery.server.requests == []
    assert SocialAccount.objects.get().opened().as_payload() == KEPT.as_payload()


@pytest.mark.django_db(transaction=True)
def test_no_periodic_task_uses_them(account: SocialAccount, gallery: Gallery) -> None:
    run_due()
    assert renew_ending_grants() == 0
    assert gallery.server.requests == []
    assert SocialAccount.objects.get().opened().as_payload() == KEPT.as_payload()


Verb = Callable[[SocialAccount], object]
VERBS: dict[str, Verb] = {
    "publish": lambda row: publish_own(
        PublishRequest(row.pk, "Hello", None, None), team_id=row.team_id, origin=ORIGIN
    ),
    "refresh for use": lambda row: refreshed_for_use(row, origin=ORIGIN),
    "forced refresh": lambda row: refreshed_for_use(row, origin=ORIGIN, force=True),
    "shared refresh": lambda row: shared.refresh(row, force=True, origin=ORIGIN),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
@pytest.mark.parametrize("read", ["after the disconnect", "before it"])
def test_no_verb_uses_them_whenever_the_row_was_read(
    account: SocialAccount, gallery: Gallery, verb: Verb, read: str
) -> None:
    if read == "before it":
        # As whoever has read the row while it was active still sees it.
        account.status, account.is_active = "active", True
        account.disconnected_at, account.epoch = None, account.epoch - 1
    with pytest.raises(NotActiveError):
        verb(account)
    assert gallery.server.requests == []


def test_the_usable_query_leaves_them_out(account: SocialAccount) -> None:
    assert not SocialAccount.objects.usable().exists()


def test_a_session_that_is_open_is_cut(account: SocialAccount) -> None:
    session = PublishSession(usable("gallery"), account.opened(), 1e12, _still_active(account))
    with pytest.raises(NotActiveError):
        session.call(Request("POST", "http://127.0.0.1:9/"))
