"""X (xdevplatform/docs openapi.json 2.167)."""

from tests.platforms.recorded.posts.posting import Case, Posting, takes
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
    refused=(
        TWEETS,
        Answer(403, json={"title": "Forbidden", "detail": "…duplicate content.", "status": 403}),
    ),
)
