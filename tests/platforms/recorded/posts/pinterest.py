"""Pinterest (pinterest/api-description v5/openapi.yaml, pins/create)."""

from tests.platforms.recorded.posts.posting import PICTURE_URL, Case, Posting, takes
from tests.support.platform_server import Answer

CREATE = ("POST", "/v5/pins")
POSTING = Posting(
    slug="pinterest",
    identity={"id": "549755885175", "username": "ada", "account_type": "BUSINESS"},
    picture=Case(
        wanted={
            "content": "My pin",
            "image_url": PICTURE_URL,
            "options": {
                "board_id": "549755885176",
                "title": "A cat",
                "link": "https://www.example.com/cats",
                "alt_text": "A cat on a wall",
            },
        },
        routes={
            CREATE: (
                takes(
                    Answer(
                        201,
                        json={
                            "id": "813744226420795884",
                            "created_at": "2026-11-28T12:00:00",
                            "board_id": "549755885176",
                            "media": {"media_type": "image"},
                        },
                    ),
                    json={
                        "board_id": "549755885176",
                        "title": "A cat",
                        "link": "https://www.example.com/cats",
                        "alt_text": "A cat on a wall",
                        "description": "My pin",
                        "media_source": {"source_type": "image_url", "url": PICTURE_URL},
                    },
                ),
            )
        },
        post_id="813744226420795884",
        post_url="https://www.pinterest.com/pin/813744226420795884/",
    ),
    refused=(CREATE, Answer(403, json={"code": 29, "message": "You are not permitted."})),
)
