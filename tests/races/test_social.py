"""Social accounts beside each other: disconnects, callbacks, publishing, refreshing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.connections.refresh import refreshed_for_use
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.revocation.models import GrantHold, RevocationJob
from social.models import Publication, SocialAccount
from tests.conftest import UseCatalogue
from tests.races.conftest import Gate, at_once, meanwhile
from tests.support.disconnects import disconnect_one
from tests.support.gallery import SOCIAL, Gallery, call_back, connect, disconnect, start
from tests.support.platform_server import Answer, PlatformServer
from tests.support.social_publishing import MORE, publish

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MakeClients = Callable[[int], list[APIClient]]
ORIGIN = command_origin(None)


@pytest.fixture
def gallery(server: PlatformServer, use_catalogue: UseCatalogue, no_limits: None) -> Gallery:
    made = Gallery(server)
    use_catalogue(made.catalogue(more=MORE), "gallery")
    made.open()
    return made


def events(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def is_consistent() -> bool:
    """Whether just the active accounts hold their grants."""
    active = set(SocialAccount.objects.filter(is_active=True).values_list("pk", flat=True))
    return active == set(GrantHold.objects.values_list("connection_id", flat=True))


def test_of_many_disconnects_one_succeeds(
    api: APIClient, make_clients: MakeClients, gallery: Gallery
) -> None:
    (account,) = connect(api)
    answers = at_once([partial(disconnect, one, account) for one in make_clients(12)])
    assert sorted(one.status_code for one in answers) == [200] + [400] * 11
    refused = {one.json()["error"] for one in answers if one.status_code == 400}
    assert refused == {"Account already disconnected"}
    assert events("account_disconnected") == 1
    assert is_consistent()


def test_of_many_callbacks_with_one_state_one_wins(
    api: APIClient, make_clients: MakeClients, gallery: Gallery
) -> None:
    state = start(api)
    answers = at_once([partial(call_back, one, state) for one in make_clients(8)])
    assert sorted(one.status_code for one in answers) == [201] + [400] * 7
    assert {one.json()["error"] for one in answers if one.status_code == 400} == {"Invalid state"}
    assert len(gallery.server.requests_to("/token")) == 1
    assert events("account_connected") == SocialAccount.objects.count() == 1


def test_parallel_callbacks_make_one_record(
    api: APIClient, make_clients: MakeClients, gallery: Gallery
) -> None:
    gallery.accounts = ["7", "8"]
    states = [start(api) for _ in range(6)]
    clients = make_clients(6)
    answers = at_once([partial(call_back, *one) for one in zip(clients, states, strict=True)])
    assert [one.status_code for one in answers] == [201] * 6
    assert SocialAccount.objects.count() == 2
    assert is_consistent()


@pytest.mark.parametrize("round_", range(3))
def test_reconnecting_and_disconnecting_end_in_one(
    api: APIClient, make_clients: MakeClients, gallery: Gallery, round_: int
) -> None:
    gallery.accounts = ["7", "8", "9"]
    rows = connect(api)
    states = [start(api) for _ in range(3)]
    clients = make_clients(6)
    calls: list[Callable[[], Any]] = [
        *(partial(call_back, *one) for one in zip(clients[:3], states, strict=True)),
        *(partial(disconnect, *one) for one in zip(clients[3:], rows, strict=True)),
    ]
    answers = at_once(calls)
    assert [one.status_code for one in answers[3:]] == [200] * 3
    assert all(one.status_code in {201, 400} for one in answers[:3])
    # Several came, none was named: whoever was disconnected has stayed so.
    assert not SocialAccount.objects.filter(is_active=True).exists()
    assert is_consistent()


def test_the_last_two_of_a_grant_make_one_job(api: APIClient, gallery: Gallery) -> None:
    gallery.accounts = ["7", "8"]
    rows = connect(api)
    decisions = at_once([partial(disconnect_one, row, erase_tokens=True) for row in rows])
    assert sorted(decisions) == ["pending", "shared_grant"]
    assert RevocationJob.objects.count() == 1


def test_the_last_two_of_a_token_set_make_one_job(
    api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(gallery.catalogue(token="", revocation=""), "gallery")
    gallery.accounts = ["7", "8"]
    rows = connect(api)
    decisions = at_once([partial(disconnect_one, row, erase_tokens=True) for row in rows])
    assert sorted(decisions) == ["pending", "shared_grant"]
    assert gallery.revoked == ["refresh-1", "access-1"]


def test_siblings_refreshing_spend_one_token(
    api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(gallery.catalogue(token=""), "gallery")
    gallery.accounts = ["7", "8", "9"]
    rows = connect(api)
    gate = Gate(gallery.tokens)
    gallery.server.on("POST", "/token", gate)
    refresh = [partial(refreshed_for_use, row, origin=ORIGIN, force=True) for row in rows]
    with meanwhile(lambda: at_once(refresh)) as done:
        gate.wait_for_visitor()
        gate.is_open.set()
        fresh = done.result()
    assert {row.pk for row in fresh} == {row.pk for row in rows}
    spent = [one.form["refresh_token"] for one in gallery.token_requests("refresh_token")]
    # One that comes when the others are done may refresh once more, and never with a spent token.
    assert spent == [f"refresh-{number}" for number in range(1, len(spent) + 1)]
    assert len({row.opened().refresh_token for row in SocialAccount.objects.all()}) == 1


def test_one_key_sent_at_once_by_many_is_one_post(
    api: APIClient, make_clients: MakeClients, gallery: Gallery
) -> None:
    (account,) = connect(api)
    gate = Gate(lambda: Answer(json={"id": "71"}))
    gallery.server.on("POST", "/7/posts", gate)
    calls = [partial(publish, one, account, "key-1") for one in make_clients(6)]
    with meanwhile(lambda: at_once(calls)) as done:
        gate.wait_for_visitor()
        gate.is_open.set()
        statuses = sorted(one.status_code for one in done.result())
    assert statuses[0] == 200
    assert set(statuses) <= {200, 409}
    assert gate.visitors == 1
    assert Publication.objects.count() == events("account_published") == 1


def test_a_disconnect_keeps_a_sent_posts_answer(
    api: APIClient, make_clients: MakeClients, gallery: Gallery, owner: User
) -> None:
    (account,) = connect(api)
    gate = Gate(lambda: Answer(json={"id": "71"}))
    gallery.server.on("POST", "/7/posts", gate)
    (client,) = make_clients(1)
    with meanwhile(lambda: publish(client, account)) as published:
        gate.wait_for_visitor()
        assert disconnect(api, account).status_code == 200
        gate.is_open.set()
        assert published.result().json()["postId"] == "71"
    assert events("account_published") == 1
    assert api.post(f"{SOCIAL}/publish", {}, format="json").status_code == 400
    assert not SocialAccount.objects.get().is_active
