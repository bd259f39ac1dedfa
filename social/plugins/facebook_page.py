"""Facebook Pages, by Facebook Login."""

from connections_project.oauth.client import TokenSet
from connections_project.platforms.registry import Upstream
from social import meta, meta_harvest, meta_publish
from social.line import Line
from social.types import Harvest, Post, Published

# What the OAuth client asks for (oauth/adapters.py).
refresh = meta_harvest.renew_user
revoke = meta.revoke_permissions


def harvest(upstream: Upstream, tokens: TokenSet) -> Harvest:
    return meta_harvest.harvest_pages(upstream, tokens)


def publish(post: Post, line: Line) -> Published:
    """Post to the Page's feed, or a photo with its caption.

    https://developers.facebook.com/docs/pages-api/posts
    """
    if post.image_url is None:
        path, form = "feed", {"message": post.caption}
    else:
        path, form = "photos", {"caption": post.caption, "url": post.image_url}
    answer = meta_publish.post(line, f"{post.account_id}/{path}", form, publishes=True)
    # Of a photo `id` is the picture, and `post_id` the post.
    post_id = meta_publish.node_id(line, {"id": answer.get("post_id") or answer.get("id")})
    return Published(post_id, meta_publish.permalink(line, post_id, "permalink_url"))
