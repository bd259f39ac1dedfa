"""Threads profiles: an app of their own at Meta, and one profile a grant."""

from connections_project.oauth.client import GrantedAccount, GrantResult, TokenSet
from connections_project.oauth.token_answers import unusable_tokens_as
from connections_project.oauth.tokens import require_vschar
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession
from connections_project.platforms.registry import Upstream
from social.adapters.meta import grants, graph, publishing


def granted_accounts(upstream: Upstream, tokens: TokenSet) -> GrantResult:
    """Exchange the token of an hour for one of 60 days, and ask whose it is.

    https://developers.facebook.com/docs/threads/get-started/long-lived-tokens
    """
    platform, registration = upstream.platform, upstream.registration
    parameters = {
        "grant_type": "th_exchange_token",
        "client_secret": registration.client_secret,
        "access_token": require_vschar(tokens.access_token, platform=platform.slug),
    }
    url = graph.node_url(platform, "access_token")
    lasting = _of_itself(graph.exchange(platform, url=url, parameters=parameters, within=10.0))
    identity = graph.identify(upstream, lasting.access_token)
    own = GrantResult(lasting, identity.account_id, (GrantedAccount(identity, lasting),))
    return grants.with_at_signs(own)


def refresh(upstream: Upstream, tokens: TokenSet, within: float) -> TokenSet:
    """Renew a token that is at least 24 hours old and not past its end (same page)."""
    platform = upstream.platform
    token = require_vschar(tokens.refresh_token or "", platform=platform.slug)
    parameters = {"grant_type": "th_refresh_token", "access_token": token}
    url = graph.node_url(platform, "refresh_access_token")
    with unusable_tokens_as(_of_itself):
        return _of_itself(graph.exchange(platform, url=url, parameters=parameters, within=within))


def publish(session: PublishSession, post: Post) -> Published:
    """Publish a text, with an image or without.

    https://developers.facebook.com/docs/threads/posts
    """
    form = {"media_type": "TEXT", "text": post.text}
    if post.image_url is not None:
        form |= {"media_type": "IMAGE", "image_url": post.image_url}
    post_id = publishing.publish_container(
        session,
        form,
        make=f"{post.account_id}/threads",
        status="status",
        publish=f"{post.account_id}/threads_publish",
    )
    return publishing.published(session, post_id, "permalink")


def _of_itself(tokens: TokenSet) -> TokenSet:
    """Return tokens whose access token is also the refresh token."""
    ends_in = tokens.expires_in or graph.SIXTY_DAYS
    return TokenSet(
        tokens.access_token,
        tokens.access_token,
        expires_in=ends_in,
        refresh_expires_in=ends_in,
        scope=tokens.scope,
    )


adapter = Adapter(
    refresh=refresh,
    granted_accounts=granted_accounts,
    publishing=Publishing(publish=publish, text_max=500, image=ImageRule()),
)
