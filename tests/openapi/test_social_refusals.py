"""Each error of social accounts, met once, and held against the document."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.identity.keys import create_key
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from social.api.errors import OWN
from social.models import Publication, SocialAccount
from tests.conftest import UseCatalogue
from tests.openapi.conftest import Reading
from tests.support.bank import Bank
from tests.support.gallery import SOCIAL, Gallery, call_back, disconnect, start
from tests.support.openapi_client import ReadingClient
from tests.support.platform_server import Answer
from tests.support.social_publishing import MORE, publish
from tests.support.social_rows import account_of


@pytest.fixture
def gallery(bank: Bank, use_catalogue: UseCatalogue, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    made = Gallery(bank.server, numbers=bank.numbers)
    use_catalogue(made.catalogue(more=MORE), "gallery")
    made.open()
    return made


def of_connecting(api: ReadingClient, gallery: Gallery) -> list[Any]:
    used = start(api)
    connect = f"{SOCIAL}/connect"
    answers = [
        call_back(api, start(api), error="access_denied"),
        call_back(api, used),
        call_back(api, used),
        api.post(connect, {"platform": "nobody"}, format="json"),
        api.post(connect, {"platform": "threads"}, format="json"),
        api.post(connect, {"platform": "gallery", "accountIds": ["7"]}, format="json"),
        api.post(connect, {"platform": "gallery", "accountIds": [str(uuid7())]}, format="json"),
    ]
    gallery.server.on("POST", "/token", Answer(500))
    return [*answers, call_back(api, start(api))]


def of_ending(api: ReadingClient, row: SocialAccount, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("social.disconnect.record_many", fail)
        defect = disconnect(api, row)
    return [
        defect,
        disconnect(api, row),
        disconnect(api, row),
        api.delete(f"{SOCIAL}/disconnect/{uuid7()}"),
        api.delete(f"{SOCIAL}/disconnect/7"),
    ]


def of_publishing(api: ReadingClient, owner: User, over: SocialAccount) -> list[Any]:
    team = owner.own_team
    row, dead = account_of(team, account_id="8"), account_of(team, account_id="9", status="expired")
    failed = publish(api, row, "key-1")
    reused = publish(api, row, "key-1", caption="Other")
    Publication.objects.update(state="sending")
    sending = publish(api, row, "key-1")
    Publication.objects.update(created_at=timezone.now() - timedelta(hours=1))
    broken_off = publish(api, row, "key-1")
    return [publish(api, over), publish(api, dead), failed, reused, sending, broken_off]


def test_each_error_is_as_described(
    owners: ReadingClient,
    reading: Reading,
    owner: User,
    gallery: Gallery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = account_of(owner.own_team)
    made = create_key(team=owner.own_team, scopes=["social:write"], origin=command_origin(None))
    program = reading(None)
    program.credentials(HTTP_X_API_KEY=made.text, HTTP_X_TEAM_ID=str(owner.own_team.pk))
    answers = [
        *of_connecting(owners, gallery),
        *of_ending(owners, row, monkeypatch),
        *of_publishing(owners, owner, row),
        program.get(f"{SOCIAL}/accounts"),
    ]
    met = {(one.json()["error"], one.status_code) for one in answers if one.status_code >= 400}
    assert met == {(error, status) for error, (status, _) in OWN.items()}
