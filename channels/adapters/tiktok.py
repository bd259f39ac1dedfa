"""TikTok: photo posts, whose picture it fetches from an address of a domain that is verified there
(developers.tiktok.com/doc/content-posting-api-reference-photo-post and …-get-video-status)."""

from typing import Any

from channels.text_lengths import utf16_length
from connections_project.oauth.calls import api_url
from connections_project.oauth.errors import ErrorCode, PlatformError
from connections_project.oauth.messages import Request
from connections_project.oauth.paths import dig, dig_text
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Option, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession

POLL_SECONDS = 1.0
# What its words mean where its status is one of success (doc/tiktok-api-v2-error-handling); others
# are refusals.
FAILURES: dict[str, tuple[ErrorCode, int]] = {
    "rate_limit_exceeded": ("rate_limited", 429),
    "internal_error": ("server_error", 500),
}
# Apps that TikTok has not audited may post with SELF_ONLY alone.
PRIVACY = ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY")
OPTIONS = {"title": Option(longest=90), "privacy_level": Option(choices=PRIVACY)}


def publish(session: PublishSession, post: Post) -> Published:
    """Have TikTok fetch and publish a photo, and wait until it has."""
    document = _post(session, "/v2/post/publish/content/init/", _body(post), publishes=True)
    publish_id = dig_text(document, "data.publish_id")
    if not publish_id:
        raise session.error("malformed")
    while (data := _state(session, publish_id)).get("status") != "PUBLISH_COMPLETE":
        if data.get("status") == "FAILED":
            raise session.error("refused")
        session.wait(POLL_SECONDS)
    # TikTok's own spelling. A post that only its author sees has none.
    return session.published(dig_text(data, "publicaly_available_post_id.0") or publish_id)


def _body(post: Post) -> dict[str, object]:
    title = {"title": post.options["title"]} if "title" in post.options else {}
    return {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {
            **title,
            "description": post.text,
            "privacy_level": post.options.get("privacy_level", PRIVACY[0]),
        },
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_cover_index": 0,
            "photo_images": [post.image_url],
        },
    }


def _state(session: PublishSession, publish_id: str) -> dict[str, Any]:
    """Return how far a post is; nothing where that can't be had: it is on its way all the same, so
    that no failure of this call is one of the post."""
    try:
        path = "/v2/post/publish/status/fetch/"
        data = dig(_post(session, path, {"publish_id": publish_id}), "data")
    except PlatformError:
        return {}
    return data if isinstance(data, dict) else {}


def _post(
    session: PublishSession, path: str, body: dict[str, object], *, publishes: bool = False
) -> Any:
    url = api_url(session.upstream.platform, path)
    request = Request("POST", url, headers=session.authorization, json=body)
    document = session.call(request, publishes=publishes).json()
    # Whatever the status, this is how it says that all went well.
    if (word := dig(document, "error.code")) not in ("ok", "", None):
        code, status = FAILURES.get(str(word), ("refused", 400))
        raise PlatformError(code, platform=session.slug, status=status)
    return document


# No key identifies a repeated post.
adapter = Adapter(
    publishing=Publishing(
        publish=publish,
        text_max=4000,
        text_length=utf16_length,
        image=ImageRule(required=True),
        options=OPTIONS,
        more_seconds=15.0,
    )
)
