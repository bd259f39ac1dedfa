"""How to publish at the tests' gallery: a plugin, as a platform would have one."""

from connections_project.oauth.answers import require_success
from connections_project.oauth.client_authentication import bearer
from connections_project.oauth.transport import Request
from social.line import Line
from social.standard_plugin import harvest
from social.types import Post, Published

__all__ = ["harvest"]


def publish(post: Post, line: Line) -> Published:
    url = line.upstream.platform.token_endpoint.replace("/token", f"/{post.account_id}/posts")
    form = {"text": post.caption} | ({"image": post.image_url} if post.image_url else {})
    request = Request("POST", url, headers=bearer(line.tokens.access_token), form=form)
    told = require_success(line.call(request, publishes=True)).json()
    return Published(str(told["id"]), told.get("url"))
