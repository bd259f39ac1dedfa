"""How the service publishes on the sandbox's pages: a plugin, as every platform has one.

The catalogue names it; it runs in the service, and knows nothing of the sandbox's insides.
"""

from urllib.parse import quote

from connections_project.oauth.answers import require_success
from connections_project.oauth.client_authentication import bearer
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.transport import Request
from social.line import Line
from social.standard_plugin import harvest
from social.types import Post, Published

__all__ = ["harvest"]


def publish(post: Post, line: Line) -> Published:
    pages = line.upstream.platform.granted_accounts_endpoint
    form = {"text": post.caption, "image_url": post.image_url or ""}
    request = Request(
        "POST",
        f"{pages}/{quote(post.account_id, safe='')}/posts",
        headers=bearer(line.tokens.access_token),
        form=form,
    )
    made = require_success(line.call(request, publishes=True)).json()
    if not isinstance(made, dict) or not isinstance(made.get("id"), str):
        raise PlatformError("malformed", platform=line.slug)
    return Published(made["id"], made.get("url"))
