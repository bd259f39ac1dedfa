"""Mastodon (mastodon/documentation methods/statuses.md)."""

from tests.platforms.recorded.posts.posting import Case, Posting, takes
from tests.support.platform_server import Answer

STATUSES = ("POST", "/api/v1/statuses")
ADDRESS = "https://mastodon.social/@ada/103254962155278888"
CREATED = Answer(json={"id": "103254962155278888", "visibility": "unlisted", "url": ADDRESS})
POSTING = Posting(
    slug="mastodon",
    identity={"id": "14715", "username": "ada", "acct": "ada"},
    text=Case(
        wanted={"content": "Hello", "options": {"visibility": "unlisted"}},
        routes={STATUSES: (takes(CREATED, form={"status": "Hello", "visibility": "unlisted"}),)},
        post_id="103254962155278888",
        post_url=ADDRESS,
    ),
    refused=(STATUSES, Answer(422, json={"error": "Validation failed: Text can't be blank"})),
)
