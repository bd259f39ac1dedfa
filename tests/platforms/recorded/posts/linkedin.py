"""LinkedIn (learn.microsoft.com/linkedin/marketing/community-management/shares: posts-api)."""

from typing import Any

from tests.platforms.recorded.posts.posting import PICTURE, PICTURE_URL, Case, Posting, takes
from tests.support.platform_server import Answer, Request

POSTS = ("POST", "/rest/posts")
URN = "urn:li:share:6844785523593134080"
HEADERS = {"LinkedIn-Version": "202607", "X-Restli-Protocol-Version": "2.0.0"}
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
IMAGE, UPLOADS = "urn:li:image:C4E10AQFoyyAjHPMQuQ", "/dms-uploads/C4E10AQFoyyAjHPMQuQ/uploaded"


def initialized(request: Request) -> Answer:
    """Say where the bytes go: to another host of theirs, here to another path."""
    value = {
        "uploadUrlExpiresAt": 1795953600000,
        "uploadUrl": f"http://{request.headers['Host']}{UPLOADS}?ca=vector_feedshare",
        "image": IMAGE,
    }
    return takes(
        Answer(json={"value": value}),
        json={"initializeUploadRequest": {"owner": "urn:li:person:8675309"}},
        headers=HEADERS,
        query={"action": "initializeUpload"},
    )(request)


POSTING = Posting(
    slug="linkedin",
    identity={"sub": "8675309", "name": "Ada Lovelace"},
    text=Case(
        wanted={"content": "Hello (world) #cats"},
        routes={POSTS: (takes(CREATED, json=BODY, headers=HEADERS),)},
        post_id=URN,
        post_url=f"https://www.linkedin.com/feed/update/{URN}",
    ),
    picture=Case(
        wanted={
            "content": "Hello (world) #cats",
            "image_url": PICTURE_URL,
            "options": {"alt_text": "A cat on a wall"},
        },
        routes={
            ("POST", "/rest/images"): (initialized,),
            ("PUT", UPLOADS): (takes(Answer(201), body=PICTURE, query={"ca": "vector_feedshare"}),),
            POSTS: (
                takes(
                    CREATED,
                    json=BODY | {"content": {"media": {"id": IMAGE, "altText": "A cat on a wall"}}},
                    headers=HEADERS,
                ),
            ),
        },
        post_id=URN,
        post_url=f"https://www.linkedin.com/feed/update/{URN}",
    ),
    refused=(
        POSTS,
        Answer(422, json={"status": 422, "code": "DUPLICATE_POST", "message": "…"}),
    ),
)
