"""A suspended platform is not published to; what is scheduled there waits."""

from dataclasses import asdict

import pytest
from django.conf import LazySettings
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.record import Origin
from channels.disconnect import disconnect_own
from channels.models import ChannelConnection
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.suspend import resume, suspend
from tests.conftest import UseCatalogue
from tests.support.bank import REDIRECT_URI
from tests.support.channel_publishing import (
    X,
    due_schedule,
    history_of,
    make_due,
    outcome_of,
    posts,
    published,
)
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db(transaction=True)


def origin() -> Origin:
    return command_origin(None)


def test_its_schedules_stay_and_nothing_is_sent(row: ChannelConnection, like_x: Chirp) -> None:
    schedule = due_schedule(row)
    suspend(slug="chirp", reason="spam", origin=origin())
    before = type(schedule).objects.values().get()
    assert published() == []
    assert type(schedule).objects.values().get() == before
    assert like_x.server.requests == []


def test_resuming_publishes_them_at_once(row: ChannelConnection, like_x: Chirp) -> None:
    schedule = due_schedule(row)
    suspend(slug="chirp", reason="spam", origin=origin())
    published()
    resume(slug="chirp", origin=origin())
    assert published() == ["published"]
    assert outcome_of(schedule) == ("published", None)


def test_others_are_published_meanwhile(
    owner: User, like_x: Chirp, use_catalogue: UseCatalogue
) -> None:
    more = 'adapter = "channels.adapters.x"'
    use_catalogue(
        like_x.catalogue(more=more) + like_x.catalogue("warble", more=more), "chirp", "warble"
    )
    waiting = due_schedule(channel_of(owner))
    schedule = due_schedule(channel_of(owner, channel="warble"))
    suspend(slug="chirp", reason="spam", origin=origin())
    assert published() == ["published"]
    assert (outcome_of(waiting)[0], outcome_of(schedule)[0]) == ("pending", "published")


def test_nothing_becomes_active_on_a_channel_that_is_over(
    row: ChannelConnection, like_x: Chirp, owner: User
) -> None:
    """What is on its way is no hindrance to a disconnect, and must not wait afterwards."""
    schedule = due_schedule(row)

    def end_all() -> None:
        user = Origin(ActorType.USER, owner.pk, Interface.API)
        disconnect_own(connection_id=row.pk, user=owner, origin=user)
        suspend(slug="chirp", reason="spam", origin=origin())

    def late(_: Request) -> Answer:
        with_own_connection(end_all)
        return Answer(401, json={})

    like_x.server.on("POST", X, late)
    assert published() == ["failed"]
    assert outcome_of(schedule) == ("failed", "connection_inactive")


def test_a_suspension_before_a_refresh_releases_it(row: ChannelConnection, like_x: Chirp) -> None:
    schedule = due_schedule(row)

    def late(_: Request) -> Answer:
        with_own_connection(lambda: suspend(slug="chirp", reason="spam", origin=origin()))
        return Answer(401, json={})

    like_x.server.on("POST", X, late)
    assert published() == []
    assert outcome_of(schedule) == ("pending", None)
    assert history_of(schedule) == []
    assert len(posts(like_x)) == 1
    assert like_x.token_requests("refresh_token") == []


def test_a_suspension_during_a_refresh_releases_it(row: ChannelConnection, like_x: Chirp) -> None:
    schedule = due_schedule(row)
    ChannelConnection.objects.update(token_expires_at=timezone.now())

    def late(_: Request) -> Answer:
        with_own_connection(lambda: suspend(slug="chirp", reason="spam", origin=origin()))
        return like_x.tokens()

    like_x.server.on("POST", "/token", late)
    assert published() == []
    assert outcome_of(schedule) == ("pending", None)
    assert posts(like_x) == []


def test_without_client_credentials_it_is_put_off(
    row: ChannelConnection, like_x: Chirp, settings: LazySettings
) -> None:
    schedule = due_schedule(row)
    registration = settings.OAUTH_CLIENTS["chirp"]
    settings.OAUTH_CLIENTS["chirp"] = asdict(ClientRegistration("", "", (REDIRECT_URI,)))
    assert published() == ["pending"]
    assert history_of(schedule) == [("failed", "platform_unavailable")]
    assert like_x.server.requests == []
    settings.OAUTH_CLIENTS["chirp"] = registration
    make_due(schedule)
    assert published() == ["published"]
