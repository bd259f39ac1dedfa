"""LinkedIn (learn.microsoft.com/linkedin/marketing/community-management/shares: posts-api)."""

from typing import Any

from tests.platforms.recorded.posts.posting import Case, Posting, takes
from tests.support.platform_server import Answer

POSTS = ("POST", "/rest/posts")
URN = "urn:li:share:6844785523593134080"
HEADERS = {"LinkedIn-Version": "202605", "X-Restli-Protocol-Version": "2.0.0"}
BODY: dict[str, Any] = {
    "author": "urn:li:person:8675309",
    "commentary": r"Hello \(world\) #cats",
    "visibility": "PUBLIC",
    "distribution": {
        "feedDistribution": "MAIN_FEED",
        "targetEntities": [],
        "thirdPartyDistributionChannels": [],
    },
    "lifecycleState": "PUBLISHED",
    "isReshareDisabledByAuthor": False,
}
CREATED = Answer(201, headers={"x-restli-id": URN})
POSTING = Posting(
    slug="linkedin",
    identity={"sub": "8675309", "name": "Ada Lovelace"},
    text=Case(
        wanted={"content": "Hello (world) #cats"},
        routes={POSTS: (takes(CREATED, json=BODY, headers=HEADERS),)},
        post_id=URN,
        post_url=f"https://www.linkedin.com/feed/update/{URN}/",
    ),
    refused=(
        POSTS,
        Answer(422, json={"status": 422, "code": "DUPLICATE_POST", "message": "…"}),
    ),
)
