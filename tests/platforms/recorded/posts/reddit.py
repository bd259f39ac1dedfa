"""Reddit (reddit.com/dev/api; praw's cassettes of submissions)."""

from tests.platforms.recorded.posts.posting import Case, Posting, takes
from tests.support.platform_server import Answer

SUBMIT = ("POST", "/api/submit")
ADDRESS = "https://www.reddit.com/r/test/comments/1abcde/a_title/"
POSTING = Posting(
    slug="reddit",
    identity={"id": "w8x1a", "name": "ada-l", "is_employee": False},
    text=Case(
        wanted={"content": "Some *text*", "options": {"title": "A title", "subreddit": "test"}},
        routes={
            SUBMIT: (
                takes(
                    Answer(
                        json={
                            "json": {
                                "errors": [],
                                "data": {
                                    "url": ADDRESS,
                                    "drafts_count": 0,
                                    "id": "1abcde",
                                    "name": "t3_1abcde",
                                },
                            }
                        }
                    ),
                    form={
                        "api_type": "json",
                        "kind": "self",
                        "sr": "test",
                        "title": "A title",
                        "text": "Some *text*",
                    },
                ),
            )
        },
        post_id="t3_1abcde",
        post_url=ADDRESS,
    ),
    # A refusal has a status of success.
    refused=(
        SUBMIT,
        Answer(
            json={"json": {"errors": [["SUBREDDIT_NOEXIST", "that subreddit is no more", "sr"]]}}
        ),
    ),
)
