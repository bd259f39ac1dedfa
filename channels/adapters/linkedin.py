"""LinkedIn: posts of a member by its versioned Posts API (POST /rest/posts)."""

import re

from channels.posting import Post, Published, authorization, published
from connections_project.oauth.calls import api_url, call
from connections_project.oauth.catalog import Platform
from connections_project.oauth.transport import Request

# Images are uploaded as bytes (POST /rest/images?action=initializeUpload), and no key tells a
# repeated post.
TAKES_IMAGE_URL = False
IDEMPOTENCY_SECONDS = 0

# There is no default, and each version is served for about a year. Secondary: seen in use.
VERSION = "202605"
# Characters that mean something in LinkedIn's "little" text, in which an unescaped one may cut a
# post short (learn.microsoft.com/linkedin/marketing/community-management, "little text format").
# A sign that begins a hashtag may go on doing so.
RESERVED = re.compile(r"[\\|{}@\[\]()<>*_~]|#(?!\w)")


def publish(platform: Platform, post: Post, *, within: float) -> Published:
    """Publish a post; see `Publisher`."""
    headers = {
        **authorization(platform, post),
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    request = Request("POST", api_url(platform, "/rest/posts"), headers=headers, json=_body(post))
    answer = call(platform, request, within=within)
    # The URN stands in a header alone; the body is empty.
    return published(platform, answer.headers.get("x-restli-id"))


def _body(post: Post) -> dict[str, object]:
    return {
        "author": f"urn:li:person:{post.account_id}",
        "commentary": RESERVED.sub(r"\\\g<0>", post.text),
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
