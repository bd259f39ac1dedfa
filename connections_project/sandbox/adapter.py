"""How the service publishes to the sandbox: as to Mastodon, but pictures go by their address."""

from channels.adapters.mastodon import (
    IDEMPOTENCY_SECONDS,
    TEXT_MAX,
    VISIBILITY,
    send_status,
    status_form,
)
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession


def publish(session: PublishSession, post: Post) -> Published:
    form = status_form(post)
    if post.image_url is not None:
        form["image_url"] = post.image_url
    return send_status(session, post, form)


adapter = Adapter(
    publishing=Publishing(
        publish=publish,
        text_max=TEXT_MAX,
        image=ImageRule(),
        options={"visibility": VISIBILITY},
        idempotency_seconds=IDEMPOTENCY_SECONDS,
    )
)
