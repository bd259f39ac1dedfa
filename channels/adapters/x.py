"""X: posts by its API v2 (xdevplatform/docs openapi.json, POST /2/tweets, /2/media/upload)."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from channels.text_lengths import tweet_length
from connections_project.oauth.calls import api_url
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.messages import Answer, Request
from connections_project.oauth.paths import dig, dig_text
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Option, Publishing
from connections_project.platforms.publishing import Picture, Post, Published, PublishSession

logger = logging.getLogger(__name__)

# docs.x.com/x-api/media/quickstart/best-practices
IMAGE = ImageRule(
    types=frozenset({"image/jpeg", "image/png", "image/webp"}), largest=5 * 1024 * 1024
)


def publish(session: PublishSession, post: Post) -> Published:
    body: dict[str, Any] = {"text": post.text}
    if post.picture:
        body["media"] = {"media_ids": [_upload(session, post.picture, post.options)]}
    post_id = dig(_post(session, "/2/tweets", publishes=True, json=body).json(), "data.id")
    return session.published(post_id, f"https://x.com/{_name(post)}/status/{post_id}")


def _upload(session: PublishSession, picture: Picture, options: Mapping[str, str]) -> str:
    form, files = {"media_category": "tweet_image"}, {"media": picture.file}
    answer = _post(session, "/2/media/upload", form=form, files=files)
    media_id = dig_text(answer.json(), "data.id|media_id_string")
    if not media_id:
        raise session.error("malformed")
    if alt_text := options.get("alt_text"):
        _describe(session, media_id, alt_text)
    return media_id


def _describe(session: PublishSession, media_id: str, alt_text: str) -> None:
    """Say what a picture shows; one that may not be described is published all the same."""
    metadata = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
    try:
        _post(session, "/2/media/metadata", json=metadata)
    except PlatformError as error:
        if error.code != "refused" or error.status == 401:
            raise
        logger.warning("X takes no alt_text (HTTP %s)", error.status)


def _post(session: PublishSession, path: str, *, publishes: bool = False, **body: Any) -> Answer:
    url = api_url(session.upstream.platform, path)
    request = Request("POST", url, headers=session.authorization, **body)
    return session.call(request, publishes=publishes)


def _name(post: Post) -> str:
    # Of a wrong name, such as one that was changed since, X makes the right one.
    return post.account_name if re.fullmatch(r"\w{1,15}", post.account_name, re.ASCII) else "i"


# No key identifies a repeated post.
adapter = Adapter(
    publishing=Publishing(
        publish=publish,
        text_max=280,
        text_length=tweet_length,
        image=IMAGE,
        options={"alt_text": Option(longest=1000)},
        more_seconds=15.0,
    )
)
