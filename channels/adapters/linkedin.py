"""LinkedIn: posts of a member by its versioned Posts API (POST /rest/posts)."""

import re

from connections_project.oauth.addresses import origin_of
from connections_project.oauth.calls import api_url
from connections_project.oauth.catalog import Platform
from connections_project.oauth.messages import Answer, Request
from connections_project.oauth.paths import dig
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Option, Publishing
from connections_project.platforms.publishing import Picture, Post, Published, PublishSession

# Characters that mean something in LinkedIn's "little" text, in which an unescaped one may cut a
# post short (learn.microsoft.com/linkedin/marketing/community-management, "little text format").
# A sign that begins a hashtag may go on doing so.
RESERVED = re.compile(r"[\\|{}@\[\]()<>*_~]|#(?!\w)")
# shares/images-api, which says nothing of bytes; those are secondary.
IMAGE = ImageRule(
    types=frozenset({"image/jpeg", "image/png", "image/gif"}), largest=8 * 1024 * 1024
)


def publish(session: PublishSession, post: Post) -> Published:
    body = _body(post)
    if post.picture:
        body["content"] = {"media": _upload(session, post, post.picture)}
    answer = _post(session, "/rest/posts", body, publishes=True)
    # The URN stands in a header alone; the body is empty.
    urn = answer.headers.get("x-restli-id") or answer.headers.get("x-linkedin-id")
    return session.published(urn, f"https://www.linkedin.com/feed/update/{urn}")


def _upload(session: PublishSession, post: Post, picture: Picture) -> dict[str, str]:
    """Upload a picture to where LinkedIn says, and return what names it in a post."""
    owner: dict[str, object] = {"initializeUploadRequest": {"owner": _author(post)}}
    value = dig(_post(session, "/rest/images?action=initializeUpload", owner).json(), "value")
    url, urn = dig(value, "uploadUrl"), dig(value, "image")
    if (
        not isinstance(urn, str)
        or not isinstance(url, str)
        or not is_theirs(session.upstream.platform, url)
    ):
        raise session.error("malformed")
    headers = {**session.authorization, "Content-Type": picture.media_type}
    session.call(Request("PUT", url, headers=headers, body=picture.content))
    alt_text = post.options.get("alt_text")
    return {"id": urn} | ({"altText": alt_text} if alt_text else {})


def is_theirs(platform: Platform, url: str) -> bool:
    """Whether an address is at the API's own domain: our token goes there too."""
    api = origin_of(api_url(platform, "/"))
    try:
        found = origin_of(url)
    except ValueError:
        return False
    domain = ".".join(api.host.split(".")[-2:])
    is_there = found.host == api.host or found.host.endswith(f".{domain}")
    return is_there and (found.scheme, found.port) == (api.scheme, api.port)


def _post(
    session: PublishSession, path: str, body: dict[str, object], *, publishes: bool = False
) -> Answer:
    headers = {
        **session.authorization,
        "LinkedIn-Version": session.upstream.platform.api_version,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    url = api_url(session.upstream.platform, path)
    return session.call(Request("POST", url, headers=headers, json=body), publishes=publishes)


def _author(post: Post) -> str:
    return f"urn:li:person:{post.account_id}"


def _body(post: Post) -> dict[str, object]:
    return {
        "author": _author(post),
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


# No key identifies a repeated post.
adapter = Adapter(
    publishing=Publishing(
        publish=publish,
        text_max=3000,
        image=IMAGE,
        options={"alt_text": Option(longest=4086)},
        more_seconds=15.0,
    )
)
