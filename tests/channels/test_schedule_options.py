"""What a channel would refuse is refused when it is scheduled (docs/api.md, "Schedules")."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection, Schedule
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.support.channel_errors import only_error, wrong_fields
from tests.support.channel_publishing import (
    MASTODON,
    due_schedule,
    history_of,
    outcome_of,
    posts,
    published,
)
from tests.support.channel_rows import channel_of
from tests.support.channel_scheduling import schedule
from tests.support.chirp import Chirp

pytestmark = pytest.mark.django_db(transaction=True)


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(one["field"], one["code"]) for one in only_error(answer)["meta"]["fields"]]


@pytest.mark.parametrize(
    "options",
    [
        {"visibility": "private"},
        {"chirp": {"visibility": "private"}},
        {"mastodon": {"visibility": "private"}},
        {"mastodon": {"visibility": "public"}, "chirp": {"visibility": "private"}},
    ],
)
def test_options_are_kept_and_sent(
    api: APIClient, row: ChannelConnection, like_mastodon: Chirp, options: dict[str, Any]
) -> None:
    answer = schedule(api, row.pk, options=options | {"pinterest": {"board_id": "7"}})
    assert (answer.status_code, answer.json()["options"]) == (201, {"visibility": "private"})
    made = Schedule.objects.get()
    assert made.options == {"visibility": "private"}
    due_schedule(row, options=made.options)
    assert published() == ["published"]
    assert posts(like_mastodon, MASTODON)[0].form["visibility"] == "private"


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ("private", "options", "invalid"),
        ([], "options", "invalid"),
        ({"visibility": 1}, "options.visibility", "invalid"),
        ({"visibility": {"public": "yes"}}, "options.visibility", "invalid"),
        ({"visibility": "friends"}, "options.visibility", "invalid_choice"),
        ({"visibility": " "}, "options.visibility", "blank"),
        ({"board_id": "7"}, "options.board_id", "unknown_option"),
        ({"alt_text": "x" * 5001}, "options.alt_text", "max_length"),
        ({"chirp": {"visibility": []}}, "options.chirp.visibility", "invalid"),
        ({"Board Id": "x"}, "options", "invalid"),
    ],
)
def test_wrong_options_are_named(
    api: APIClient,
    row: ChannelConnection,
    like_mastodon: Chirp,
    options: Any,
    field: str,
    code: str,
) -> None:
    answer = schedule(api, row.pk, options=options)
    assert codes(answer) == [(field, code)]
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("options", [None, {}, {"visibility": None}])
def test_no_options_are_none(
    api: APIClient, row: ChannelConnection, like_mastodon: Chirp, options: Any
) -> None:
    answer = schedule(api, row.pk, options=options)
    assert (answer.status_code, answer.json()["options"]) == (201, {})


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("x" * 280, 201),
        ("x" * 281, 400),
        ("語" * 140, 201),
        ("語" * 141, 400),
        ("👩‍👩‍👧‍👦" * 140, 201),
        ("https://example.com/" + "x" * 300 + " y", 201),
        # A link ends where East Asian signs begin, and before brackets and stops not its own.
        ("https://example.com/" + "語" * 128, 201),
        ("https://example.com/" + "語" * 129, 400),
        ("(https://example.com/a). " + "x" * 253, 201),
        ("(https://example.com/a). " + "x" * 254, 400),
        ("https://en.wikipedia.org/wiki/A_(b)?c=d " + "x" * 256, 201),
    ],
)
def test_a_text_is_counted_as_x_does(
    api: APIClient, row: ChannelConnection, like_x: Chirp, text: str, status: int
) -> None:
    answer = schedule(api, row.pk, content=text)
    assert answer.status_code == status
    if status == 400:
        assert codes(answer) == [("content", "max_length")]


def test_mastodon_counts_links_mentions_and_signs(
    api: APIClient, row: ChannelConnection, like_mastodon: Chirp
) -> None:
    text = "@ada@mastodon.example https://example.com/" + "x" * 600 + " " + "e\u0301" * 471
    assert schedule(api, row.pk, content=text).status_code == 201
    assert wrong_fields(schedule(api, row.pk, content=text + "1")) == ["content"]


def test_the_catalogue_may_allow_longer_texts(
    api: APIClient, row: ChannelConnection, chirp: Chirp, use_catalogue: UseCatalogue
) -> None:
    more = 'adapter = "channels.adapters.x"\ntext_max = 400'
    use_catalogue(chirp.catalogue(more=more), "chirp")
    assert schedule(api, row.pk, content="x" * 400).status_code == 201
    assert schedule(api, row.pk, content="x" * 401).status_code == 400


def test_a_channel_without_posts_says_why(api: APIClient, owner: User) -> None:
    answer = schedule(api, channel_of(owner, channel="youtube").pk)
    assert codes(answer) == [("channel_connection_id", "publishing_not_supported")]
    assert "community posts" in only_error(answer)["meta"]["fields"][0]["message"]


def test_options_that_fit_no_longer_fail_the_post(
    row: ChannelConnection, like_mastodon: Chirp
) -> None:
    made = due_schedule(row, options={"visibility": "circles"})
    assert published() == ["failed"]
    assert outcome_of(made) == ("failed", "invalid_post")
    assert history_of(made) == [("failed", "invalid_post")]
    assert posts(like_mastodon, MASTODON) == []
