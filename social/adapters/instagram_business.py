"""Instagram professional accounts that are linked to a Facebook Page, by Facebook Login."""

from connections_project.oauth.client import GrantResult, TokenSet
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession
from connections_project.platforms.registry import Upstream
from social.adapters.meta import grants, graph, publishing


def granted_accounts(upstream: Upstream, tokens: TokenSet) -> GrantResult:
    return grants.with_at_signs(grants.granted_pages(upstream, tokens))


def publish(session: PublishSession, post: Post) -> Published:
    """Publish an image with its caption.

    https://developers.facebook.com/docs/instagram-platform/content-publishing
    """
    post_id = publishing.publish_container(
        session,
        {"image_url": post.image_url or "", "caption": post.text},
        make=f"{post.account_id}/media",
        status="status_code",
        publish=f"{post.account_id}/media_publish",
    )
    return publishing.published(session, post_id, "permalink")


adapter = Adapter(
    refresh=grants.renew_user,
    revoke=graph.revoke_permissions,
    probe=graph.probe,
    granted_accounts=granted_accounts,
    publishing=Publishing(publish=publish, text_max=2200, image=ImageRule(required=True)),
)
