"""Discord: messages by the webhook that the grant has brought (discord/discord-api-docs,
resources/webhook.mdx, "Execute Webhook")."""

import re

from connections_project.oauth.calls import api_url
from connections_project.oauth.messages import Request
from connections_project.oauth.paths import dig
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession

WEBHOOK = re.compile(r"https?://[^/]+(/api(?:/v\d+)?/webhooks/\d+/[\w-]+)")


def publish(session: PublishSession, post: Post) -> Published:
    """Publish a message; with `wait` the answer is the message."""
    url = f"{_webhook(session)}?wait=true"
    body: dict[str, object] = {"content": post.text}
    if post.image_url:
        body["embeds"] = [{"image": {"url": post.image_url}}]
    # The webhook's address is all that it takes to be let in.
    message = session.call(Request("POST", url, json=body), publishes=True).json()
    return session.published(dig(message, "id"), _address(session, message))


def _webhook(session: PublishSession) -> str:
    """Return the webhook's address, at the host that the catalogue names.

    Raises:
        PlatformError: `refused`: connected before webhooks were asked for.
    """
    found = WEBHOOK.fullmatch(session.tokens.extras.get("webhook_url", ""))
    if found is None:
        raise session.error("refused")
    return api_url(session.upstream.platform, found[1])


def _address(session: PublishSession, message: object) -> str | None:
    guild_id = session.tokens.extras.get("guild_id")
    place = dig(message, "channel_id"), dig(message, "id")
    return f"https://discord.com/channels/{guild_id}/{place[0]}/{place[1]}" if guild_id else None


# No key identifies a repeated message.
adapter = Adapter(publishing=Publishing(publish=publish, text_max=2000, image=ImageRule()))
