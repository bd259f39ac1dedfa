"""How the service publishes on the sandbox's pages.

The catalogue names it; it runs in the service, and knows nothing of the sandbox's insides.
"""

from dataclasses import replace
from urllib.parse import quote

from connections_project.oauth.messages import Request
from connections_project.oauth.paths import dig
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession


def publish(session: PublishSession, post: Post) -> Published:
    pages = session.upstream.platform.granted_accounts_endpoint
    form = {"text": post.text, "image_url": post.image_url or ""}
    url = f"{pages}/{quote(post.account_id, safe='')}/posts"
    request = Request("POST", url, headers=session.authorization, form=form)
    answer = session.call(request, publishes=True).json()
    # On loopback its addresses are plain http.
    return replace(session.published(dig(answer, "id")), url=dig(answer, "url"))


adapter = Adapter(publishing=Publishing(publish=publish, image=ImageRule()))
