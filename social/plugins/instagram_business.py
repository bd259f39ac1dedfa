"""Instagram professional accounts that are linked to a Facebook Page, by Facebook Login."""

from connections_project.oauth.client import TokenSet
from connections_project.platforms.registry import Upstream
from social import meta, meta_harvest, meta_publish
from social.line import Line
from social.types import Harvest, InvalidPostError, Post, Published

# What the OAuth client asks for (oauth/adapters.py).
refresh = meta_harvest.renew_user
revoke = meta.revoke_permissions


def harvest(upstream: Upstream, tokens: TokenSet) -> Harvest:
    return meta_harvest.with_at_signs(meta_harvest.harvest_pages(upstream, tokens))


def publish(post: Post, line: Line) -> Published:
    """Publish an image with its caption.

    https://developers.facebook.com/docs/instagram-platform/content-publishing
    """
    if post.image_url is None:
        raise InvalidPostError("imageUrl", "Instagram has no posts without an image.")
    post_id = meta_publish.publish_container(
        line,
        {"image_url": post.image_url, "caption": post.caption},
        make=f"{post.account_id}/media",
        status="status_code",
        publish=f"{post.account_id}/media_publish",
    )
    return Published(post_id, meta_publish.permalink(line, post_id, "permalink"))
