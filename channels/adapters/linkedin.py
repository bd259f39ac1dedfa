"""LinkedIn: posts of a member by its versioned Posts API (POST /rest/posts)."""

import re

from connections_project.oauth.calls import api_url
from connections_project.oauth.transport import Request
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession

# There is no default, and each version is served for about a year. Secondary: seen in use.
VERSION = "202605"
# Characters that mean something in LinkedIn's "little" text, in which an unescaped one may cut a
# post short (learn.microsoft.com/linkedin/marketing/community-management, "little text format").
# A sign that begins a hashtag may go on doing so.
RESERVED = re.compile(r"[\\|{}@\[\]()<>*_~]|#(?!\w)")


def publish(session: PublishSession, post: Post) -> Published:
    headers = {
        **session.authorization,
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    url = api_url(session.upstream.platform, "/rest/posts")
    answer = session.call(Request("POST", url, headers=headers, json=_body(post)), publishes=True)
    # The URN stands in a header alone; the body is empty.
    urn = answer.headers.get("x-restli-id")
    return session.published(urn, f"https://www.linkedin.com/feed/update/{urn}/")


def _body(post: Post) -> dict[str, object]:
    return {
        "author": f"urn:li:person:{post.account_id}",
        "commentary": RESERVED.sub(r"\\\g<0>", post.text),
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }


# Images are uploaded as bytes (POST /rest/images?action=initializeUpload), and no key identifies a
# repeated post.
adapter = Adapter(publishing=Publishing(publish=publish, text_max=3000))
