"""Mastodon: posts by POST /api/v1/statuses (mastodon/documentation, methods/statuses.md)."""

from collections.abc import Mapping

from channels.posting import Post, Published, authorization, published
from connections_project.oauth.calls import api_url, call
from connections_project.oauth.catalog import Platform
from connections_project.oauth.paths import dig
from connections_project.oauth.transport import Request

# Images are uploaded as bytes (POST /api/v2/media).
TAKES_IMAGE_URL = False
# "Idempotency-Key … keys are stored for up to 1 hour."
IDEMPOTENCY_SECONDS = 3600


def publish(platform: Platform, post: Post, *, within: float) -> Published:
    """Publish a post; see `Publisher`."""
    return send_status(platform, post, {"status": post.text}, within=within)


def send_status(
    platform: Platform, post: Post, form: Mapping[str, str], *, within: float
) -> Published:
    """Send a status whose form has been written, under the post's key."""
    url = api_url(platform, "/api/v1/statuses")
    headers = {**authorization(platform, post), "Idempotency-Key": post.key}
    told = call(platform, Request("POST", url, headers=headers, form=form), within=within).json()
    return published(platform, dig(told, "id"), dig(told, "url"))
