"""X (xdevplatform/docs openapi.json 2.167)."""

from tests.platforms.recorded.posts.posting import PICTURE_PART, PICTURE_URL, Case, Posting, takes
from tests.support.platform_server import Answer

TWEETS = ("POST", "/2/tweets")
CREATED = Answer(201, json={"data": {"id": "1445880548472328192", "text": "Hello"}})
ADDRESS = "https://x.com/ada_l/status/1445880548472328192"
POSTING = Posting(
    slug="x",
    identity={"data": {"id": "2244994945", "name": "Ada", "username": "ada_l"}},
    text=Case(
        wanted={"content": "Hello 🌍"},
        routes={TWEETS: (takes(CREATED, json={"text": "Hello 🌍"}),)},
        post_id="1445880548472328192",
        post_url=ADDRESS,
    ),
    picture=Case(
        wanted={
            "content": "A cat",
            "image_url": PICTURE_URL,
            "options": {"alt_text": "A cat on a wall"},
        },
        routes={
            ("POST", "/2/media/upload"): (
                takes(
                    Answer(json={"data": {"id": "1880028106020515840", "size": 5128}}),
                    parts={"media_category": "tweet_image", "media": PICTURE_PART},
                ),
            ),
            ("POST", "/2/media/metadata"): (
                takes(
                    Answer(json={"data": {"id": "1880028106020515840"}}),
                    json={
                        "id": "1880028106020515840",
                        "metadata": {"alt_text": {"text": "A cat on a wall"}},
                    },
                ),
            ),
            TWEETS: (
                takes(
                    CREATED,
                    json={"text": "A cat", "media": {"media_ids": ["1880028106020515840"]}},
                ),
            ),
        },
        post_id="1445880548472328192",
        post_url=ADDRESS,
    ),
    refused=(
        TWEETS,
        Answer(403, json={"title": "Forbidden", "detail": "…duplicate content.", "status": 403}),
    ),
)
