"""Mastodon (mastodon/documentation methods/statuses.md, methods/media.md)."""

from tests.platforms.recorded.posts.posting import PICTURE_PART, PICTURE_URL, Case, Posting, takes
from tests.support.platform_server import Answer

STATUSES = ("POST", "/api/v1/statuses")
ADDRESS = "https://mastodon.social/@ada/103254962155278888"
CREATED = Answer(json={"id": "103254962155278888", "visibility": "unlisted", "url": ADDRESS})
MEDIA = {
    "id": "22348641",
    "type": "image",
    "url": "https://files.mastodon.social/media_attachments/files/022/348/641/original/cat.png",
    "description": "A cat on a wall",
}
POSTING = Posting(
    slug="mastodon",
    identity={"id": "14715", "username": "ada", "acct": "ada"},
    text=Case(
        wanted={"content": "Hello", "options": {"visibility": "unlisted"}},
        routes={STATUSES: (takes(CREATED, form={"status": "Hello", "visibility": "unlisted"}),)},
        post_id="103254962155278888",
        post_url=ADDRESS,
    ),
    picture=Case(
        wanted={
            "content": "A cat",
            "image_url": PICTURE_URL,
            "options": {"alt_text": "A cat on a wall"},
        },
        routes={
            ("POST", "/api/v2/media"): (
                takes(
                    Answer(202, json=MEDIA | {"url": None}),
                    parts={"description": "A cat on a wall", "file": PICTURE_PART},
                ),
            ),
            ("GET", "/api/v1/media/22348641"): (
                Answer(206, json=MEDIA | {"url": None}),
                Answer(json=MEDIA),
            ),
            STATUSES: (takes(CREATED, form={"status": "A cat", "media_ids[]": "22348641"}),),
        },
        post_id="103254962155278888",
        post_url=ADDRESS,
    ),
    refused=(STATUSES, Answer(422, json={"error": "Validation failed: Text can't be blank"})),
)
