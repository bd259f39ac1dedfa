"""Mastodon: posts by POST /api/v1/statuses (mastodon/documentation, methods/statuses.md)."""

from collections.abc import Mapping

from connections_project.oauth.calls import api_url
from connections_project.oauth.paths import dig
from connections_project.oauth.transport import Request
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.publishing import Post, Published, PublishSession

# "Idempotency-Key … keys are stored for up to 1 hour."
IDEMPOTENCY_SECONDS = 3600


def publish(session: PublishSession, post: Post) -> Published:
    return send_status(session, post, {"status": post.text})


def send_status(session: PublishSession, post: Post, form: Mapping[str, str]) -> Published:
    """Send a status whose form has been written, under the post's key."""
    url = api_url(session.upstream.platform, "/api/v1/statuses")
    headers = {**session.authorization, "Idempotency-Key": post.key}
    answer = session.call(Request("POST", url, headers=headers, form=form), publishes=True).json()
    return session.published(dig(answer, "id"), dig(answer, "url"))


# Images are uploaded as bytes (POST /api/v2/media).
adapter = Adapter(publish=publish, idempotency_seconds=IDEMPOTENCY_SECONDS)
