"""Threads profiles: an app of their own at Meta, and one profile a grant."""

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration, TokenSet
from connections_project.oauth.tokens import require_vschar
from connections_project.platforms.registry import Upstream
from social import meta, meta_harvest, meta_publish
from social.line import Line
from social.types import Crop, Harvest, Post, Published


def harvest(upstream: Upstream, tokens: TokenSet) -> Harvest:
    """Exchange the token of an hour for one of 60 days, and ask whose it is.

    https://developers.facebook.com/docs/threads/get-started/long-lived-tokens
    """
    platform, registration = upstream.platform, upstream.registration
    parameters = {
        "grant_type": "th_exchange_token",
        "client_secret": registration.client_secret,
        "access_token": require_vschar(tokens.access_token, platform=platform.slug),
    }
    url = meta.graph(platform, "access_token")
    lasting = _of_itself(meta.exchange(platform, url=url, parameters=parameters, within=10.0))
    identity = meta.identify(upstream, lasting.access_token)
    own = Harvest(lasting, identity.account_id, (Crop(identity, lasting),))
    return meta_harvest.with_at_signs(own)


def refresh(
    platform: Platform,
    registration: ClientRegistration,  # noqa: ARG001 (the OAuth client's signature)
    *,
    tokens: TokenSet,
    within: float,
) -> TokenSet:
    """Renew a token that is at least 24 hours old and not past its end (same page)."""
    token = require_vschar(tokens.refresh_token or "", platform=platform.slug)
    parameters = {"grant_type": "th_refresh_token", "access_token": token}
    url = meta.graph(platform, "refresh_access_token")
    return _of_itself(meta.exchange(platform, url=url, parameters=parameters, within=within))


def publish(post: Post, line: Line) -> Published:
    """Publish a text, with an image or without.

    https://developers.facebook.com/docs/threads/posts
    """
    form = {"media_type": "TEXT", "text": post.caption}
    if post.image_url is not None:
        form |= {"media_type": "IMAGE", "image_url": post.image_url}
    post_id = meta_publish.publish_container(
        line,
        form,
        make=f"{post.account_id}/threads",
        status="status",
        publish=f"{post.account_id}/threads_publish",
    )
    return Published(post_id, meta_publish.permalink(line, post_id, "permalink"))


def _of_itself(tokens: TokenSet) -> TokenSet:
    """Say that a token is what it is renewed with."""
    ends_in = tokens.expires_in or meta.SIXTY_DAYS
    return TokenSet(
        tokens.access_token,
        tokens.access_token,
        expires_in=ends_in,
        refresh_expires_in=ends_in,
        scope=tokens.scope,
    )
