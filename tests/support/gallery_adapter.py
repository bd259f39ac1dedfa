"""How to publish at the tests' gallery: an adapter, as a platform would have one."""

from connections_project.oauth.messages import Request
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession


def publish(session: PublishSession, post: Post) -> Published:
    token_endpoint = session.upstream.platform.token_endpoint
    url = token_endpoint.replace("/token", f"/{post.account_id}/posts")
    form = {"text": post.text} | ({"image": post.image_url} if post.image_url else {})
    request = Request("POST", url, headers=session.authorization, form=form)
    answer = session.call(request, publishes=True).json()
    return session.published(str(answer["id"]), answer.get("url"))


adapter = Adapter(publishing=Publishing(publish=publish, image=ImageRule()))
