"""How the service publishes to the sandbox: as to Mastodon, but pictures go by their address."""

from channels.adapters.mastodon import IDEMPOTENCY_SECONDS, send_status
from channels.posting import Post, Published
from connections_project.oauth.catalog import Platform

__all__ = ["IDEMPOTENCY_SECONDS", "TAKES_IMAGE_URL", "publish"]

TAKES_IMAGE_URL = True


def publish(platform: Platform, post: Post, *, within: float) -> Published:
    """Publish a post; see `channels.posting.Publisher`."""
    form = {"status": post.text}
    if post.image_url is not None:
        form["image_url"] = post.image_url
    return send_status(platform, post, form, within=within)
