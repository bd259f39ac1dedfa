"""How the service publishes to the sandbox: as to Mastodon, but pictures go by their address."""

from channels.adapters.mastodon import IDEMPOTENCY_SECONDS, send_status
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.publishing import Post, Published, PublishSession


def publish(session: PublishSession, post: Post) -> Published:
    form = {"status": post.text}
    if post.image_url is not None:
        form["image_url"] = post.image_url
    return send_status(session, post, form)


adapter = Adapter(publish=publish, takes_image_url=True, idempotency_seconds=IDEMPOTENCY_SECONDS)
