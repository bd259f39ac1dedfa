"""Discord: messages by the webhook that the grant has brought (discord/discord-api-docs,
resources/webhook.mdx, "Execute Webhook")."""

import re
from dataclasses import replace

from connections_project.oauth import client
from connections_project.oauth.answers import require_success
from connections_project.oauth.calls import api_url
from connections_project.oauth.client import Identity, TokenSet
from connections_project.oauth.messages import Request
from connections_project.oauth.paths import dig
from connections_project.oauth.transport import send
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession
from connections_project.platforms.registry import Upstream

# Unknown or invalid, or not to be ended by its token any more.
GONE = frozenset({401, 403, 404})
WEBHOOK = re.compile(r"(?:https?://[^/]+)?(/api(?:/v\d+)?/webhooks/\d+/[\w-]+)")


def identify(upstream: Upstream, tokens: TokenSet) -> Identity:
    """Return the channel that a grant's webhook is for, and the user who gave the grant.

    A user may connect several channels, each of which has its webhook from a consent of its own.
    """
    user = client.identify(upstream.platform, upstream.registration, tokens=tokens)
    channel_id = tokens.extras.get("channel_id")
    if not channel_id:
        return user
    return replace(user, account_id=channel_id, granting_user_id=user.account_id)


def publish(session: PublishSession, post: Post) -> Published:
    """Publish a message; with `wait` the answer is the message."""
    webhook = _webhook(session.upstream, session.tokens)
    if webhook is None:
        raise session.error("refused")
    body: dict[str, object] = {"content": post.text}
    if post.image_url:
        body["embeds"] = [{"image": {"url": post.image_url}}]
    # The webhook's address is all that it takes to be let in.
    message = session.call(
        Request("POST", f"{webhook}?wait=true", json=body), publishes=True
    ).json()
    return session.published(dig(message, "id"), _address(session, message))


def delete_webhook(upstream: Upstream, tokens: TokenSet, within: float) -> None:
    """Delete the webhook, which would outlive the grant ("Delete Webhook with Token").

    Raises:
        PlatformError: It may still be there.
    """
    url = _webhook(upstream, tokens)
    if url is not None:
        answer = send(Request("DELETE", url), platform=upstream.platform, within=within)
        if answer.status not in GONE:
            require_success(answer)


def _webhook(upstream: Upstream, tokens: TokenSet) -> str | None:
    """Return the webhook's address, at the host that the catalogue names.

    None for what was connected before webhooks were asked for.
    """
    extras = tokens.extras
    named = f"/api/webhooks/{extras.get('webhook_id')}/{extras.get('webhook_token')}"
    found = WEBHOOK.fullmatch(extras.get("webhook_url") or named)
    return api_url(upstream.platform, found[1]) if found else None


def _address(session: PublishSession, message: object) -> str | None:
    guild_id = session.tokens.extras.get("guild_id")
    place = dig(message, "channel_id"), dig(message, "id")
    return f"https://discord.com/channels/{guild_id}/{place[0]}/{place[1]}" if guild_id else None


# No key identifies a repeated message.
adapter = Adapter(
    identify=identify,
    revoke_extras=delete_webhook,
    publishing=Publishing(publish=publish, text_max=2000, image=ImageRule()),
)
