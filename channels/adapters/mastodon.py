"""Mastodon: posts by POST /api/v1/statuses (mastodon/documentation, methods/statuses.md)."""

from collections.abc import Mapping

from channels.text_lengths import toot_length
from connections_project.oauth.calls import api_url
from connections_project.oauth.paths import dig
from connections_project.oauth.transport import Request
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import Option, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession

# "Idempotency-Key … keys are stored for up to 1 hour."
IDEMPOTENCY_SECONDS = 3600
# Instances may allow more: `text_max` in the catalogue.
TEXT_MAX = 500
VISIBILITY = Option(choices=("public", "unlisted", "private", "direct"))


def publish(session: PublishSession, post: Post) -> Published:
    return send_status(session, post, status_form(post))


def status_form(post: Post) -> dict[str, str]:
    """Write a status's form; without a visibility it is the account's own default."""
    chosen = post.options.get("visibility")
    return {"status": post.text} | ({"visibility": chosen} if chosen else {})


def send_status(session: PublishSession, post: Post, form: Mapping[str, str]) -> Published:
    """Send a status whose form has been written, under the post's key."""
    url = api_url(session.upstream.platform, "/api/v1/statuses")
    headers = {**session.authorization, "Idempotency-Key": post.key}
    answer = session.call(Request("POST", url, headers=headers, form=form), publishes=True).json()
    return session.published(dig(answer, "id"), dig(answer, "url"))


# Images are uploaded as bytes (POST /api/v2/media).
adapter = Adapter(
    publishing=Publishing(
        publish=publish,
        text_max=TEXT_MAX,
        text_length=toot_length,
        options={"visibility": VISIBILITY},
        idempotency_seconds=IDEMPOTENCY_SECONDS,
    )
)
