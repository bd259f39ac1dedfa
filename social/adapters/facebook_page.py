"""Facebook Pages, by Facebook Login."""

from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession
from social.adapters.meta import grants, graph, publishing


def publish(session: PublishSession, post: Post) -> Published:
    """Post to the Page's feed, or a photo with its caption.

    https://developers.facebook.com/docs/pages-api/posts
    """
    if post.image_url is None:
        path, form = "feed", {"message": post.text}
    else:
        path, form = "photos", {"caption": post.text, "url": post.image_url}
    answer = publishing.post(session, f"{post.account_id}/{path}", form, publishes=True)
    # Of a photo `id` is the picture, and `post_id` the post.
    post_id = publishing.node_id(session, {"id": answer.get("post_id") or answer.get("id")})
    return publishing.published(session, post_id, "permalink_url")


adapter = Adapter(
    refresh=grants.renew_user,
    revoke=graph.revoke_permissions,
    probe=graph.probe,
    granted_accounts=grants.granted_pages,
    # The platform takes more than the API does.
    publishing=Publishing(publish=publish, image=ImageRule()),
)
