"""Whether a channel takes a picture is known when it is scheduled (docs/api.md, "Schedules")."""

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from tests.conftest import UseCatalogue
from tests.support.channel_errors import only_error, wrong_fields
from tests.support.channel_publishing import (
    ADAPTER,
    MASTODON,
    due_schedule,
    outcome_of,
    posts,
    published,
    tooted,
)
from tests.support.channel_scheduling import schedule
from tests.support.chirp import Chirp

pytestmark = pytest.mark.django_db(transaction=True)

IMAGE = "https://images.example.com/cat.png"


def test_a_channel_without_pictures_refuses_them(
    api: APIClient, row: ChannelConnection, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(more=ADAPTER.format("reddit")), "chirp")
    options = {"title": "A cat"}
    answer = schedule(api, row.pk, image_url=IMAGE, options=options)
    assert wrong_fields(answer) == ["image_url"]
    assert only_error(answer)["meta"]["fields"][0]["code"] == "image_not_supported"
    assert not Schedule.objects.exists()
    assert schedule(api, row.pk, options=options).status_code == 201


def test_a_channel_of_pictures_wants_one(
    api: APIClient, row: ChannelConnection, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(more=ADAPTER.format("pinterest")), "chirp")
    answer = schedule(api, row.pk, options={"title": "A cat"})
    assert wrong_fields(answer) == ["image_url", "options.board_id"]


def test_where_nobody_knows_it_is_taken(api: APIClient, row: ChannelConnection) -> None:
    answer = schedule(api, row.pk, image_url=IMAGE)
    assert (answer.status_code, answer.json()["image_url"]) == (201, IMAGE)


def test_a_fetching_channel_gets_the_address(
    row: ChannelConnection, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(chirp.catalogue(more='adapter = "connections_project.sandbox.adapter"'), "chirp")
    chirp.server.on("POST", MASTODON, tooted())
    made = due_schedule(row, image_url=IMAGE)
    assert published() == ["published"]
    assert outcome_of(made) == ("published", None)
    (post,) = posts(chirp, MASTODON)
    assert post.form == {"status": "Hello", "image_url": IMAGE}
    assert len(chirp.server.requests) == 1
