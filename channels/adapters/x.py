"""X: posts by its API v2 (xdevplatform/docs openapi.json, POST /2/tweets)."""

from channels.posting import Post, Published, authorization, published
from connections_project.oauth.calls import api_url, call
from connections_project.oauth.catalog import Platform
from connections_project.oauth.paths import dig
from connections_project.oauth.transport import Request

# Images are uploaded as bytes (POST /2/media/upload), and no key tells a repeated post.
TAKES_IMAGE_URL = False
IDEMPOTENCY_SECONDS = 0
# X says here, and not in Retry-After, when it may be asked again (response-codes-and-errors.mdx).
RESET_HEADER = "x-rate-limit-reset"


def publish(platform: Platform, post: Post, *, within: float) -> Published:
    """Publish a post; see `Publisher`."""
    url, headers = api_url(platform, "/2/tweets"), authorization(platform, post)
    request = Request("POST", url, headers=headers, json={"text": post.text})
    answer = call(platform, request, within=within, reset_header=RESET_HEADER)
    return published(platform, dig(answer.json(), "data.id"))
