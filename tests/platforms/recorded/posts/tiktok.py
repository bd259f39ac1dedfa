"""TikTok (developers.tiktok.com/doc/content-posting-api-reference-photo-post)."""

from typing import Any

from tests.platforms.recorded.posts.posting import PICTURE_URL, Case, Posting, takes
from tests.support.platform_server import Answer

INIT, FETCH = "/v2/post/publish/content/init/", "/v2/post/publish/status/fetch/"
FINE = {"code": "ok", "message": "", "log_id": "202611281200000102"}


def status_of(**data: Any) -> Answer:
    return Answer(json={"data": data, "error": FINE})


PUBLISH_ID = "p_pub_url~v2.123456789"
POSTING = Posting(
    slug="tiktok",
    identity={"data": {"user": {"open_id": "723f24d7", "display_name": "Ada"}}, "error": FINE},
    tokens={"open_id": "723f24d7", "scope": "user.info.basic,video.publish"},
    picture=Case(
        wanted={
            "content": "A cat #cats",
            "image_url": PICTURE_URL,
            "options": {"title": "A cat", "privacy_level": "SELF_ONLY"},
        },
        routes={
            ("POST", INIT): (
                takes(
                    status_of(publish_id=PUBLISH_ID),
                    json={
                        "media_type": "PHOTO",
                        "post_mode": "DIRECT_POST",
                        "post_info": {
                            "title": "A cat",
                            "description": "A cat #cats",
                            "privacy_level": "SELF_ONLY",
                        },
                        "source_info": {
                            "source": "PULL_FROM_URL",
                            "photo_cover_index": 0,
                            "photo_images": [PICTURE_URL],
                        },
                    },
                ),
            ),
            ("POST", FETCH): (
                takes(status_of(status="PROCESSING_DOWNLOAD"), json={"publish_id": PUBLISH_ID}),
                # Whatever goes wrong with the question, the post is on its way.
                Answer(429, json={"error": {"code": "rate_limit_exceeded"}}),
                status_of(
                    status="PUBLISH_COMPLETE", publicaly_available_post_id=[7530000000000000001]
                ),
            ),
        },
        post_id="7530000000000000001",
        post_url=None,
    ),
    refused=(
        ("POST", INIT),
        Answer(403, json={"error": {"code": "url_ownership_unverified", "message": "…"}}),
    ),
)
