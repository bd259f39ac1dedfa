"""Mastodon: posts by POST /api/v1/statuses (mastodon/documentation, methods/statuses.md), pictures
by POST /api/v2/media (methods/media.md)."""

from collections.abc import Mapping
from typing import Any

from channels.text_lengths import toot_length
from connections_project.oauth.calls import api_url
from connections_project.oauth.messages import Answer, Request
from connections_project.oauth.paths import dig, dig_text
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Option, Publishing
from connections_project.platforms.publishing import Picture, Post, Published, PublishSession

# "Idempotency-Key … keys are stored for up to 1 hour."
IDEMPOTENCY_SECONDS = 3600
# Instances may allow more: `text_max` in the catalogue.
TEXT_MAX = 500
VISIBILITY = Option(choices=("public", "unlisted", "private", "direct"))
# user/posting.md
IMAGE = ImageRule(
    types=frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
    largest=16 * 1024 * 1024,
)
POLL_SECONDS = 1.0
STILL_PROCESSED = frozenset({202, 206})


def publish(session: PublishSession, post: Post) -> Published:
    form = status_form(post)
    if post.picture:
        form["media_ids[]"] = _upload(session, post.picture, post.options.get("alt_text"))
    return send_status(session, post, form)


def status_form(post: Post) -> dict[str, str]:
    """Write a status's form; without a visibility it is the account's own default."""
    chosen = post.options.get("visibility")
    return {"status": post.text} | ({"visibility": chosen} if chosen else {})


def send_status(session: PublishSession, post: Post, form: Mapping[str, str]) -> Published:
    """Send a status whose form has been written, under the post's key."""
    url = api_url(session.upstream.platform, "/api/v1/statuses")
    headers = {**session.authorization, "Idempotency-Key": post.key}
    answer = session.call(Request("POST", url, headers=headers, form=form), publishes=True).json()
    return session.published(dig(answer, "id"), dig(answer, "url"))


def _upload(session: PublishSession, picture: Picture, alt_text: str | None) -> str:
    """Upload a picture, and wait until it may be attached."""
    form = {"description": alt_text} if alt_text else None
    answer = _media(session, "POST", "/api/v2/media", form=form, files={"file": picture.file})
    media_id = dig_text(answer.json(), "id")
    if not media_id.isalnum():
        raise session.error("malformed")
    while answer.status in STILL_PROCESSED:
        session.wait(POLL_SECONDS)
        answer = _media(session, "GET", f"/api/v1/media/{media_id}")
    return media_id


def _media(session: PublishSession, method: str, path: str, **body: Any) -> Answer:
    url = api_url(session.upstream.platform, path)
    return session.call(Request(method, url, headers=session.authorization, **body))


adapter = Adapter(
    publishing=Publishing(
        publish=publish,
        text_max=TEXT_MAX,
        text_length=toot_length,
        image=IMAGE,
        options={"visibility": VISIBILITY, "alt_text": Option(longest=1500)},
        idempotency_seconds=IDEMPOTENCY_SECONDS,
        more_seconds=15.0,
    )
)
