"""Discord (discord/discord-api-docs topics/oauth2.mdx, resources/webhook.mdx)."""

from dataclasses import replace
from typing import Any

from tests.platforms.recorded.posts.posting import PICTURE_URL, Case, Posting, takes
from tests.support.platform_server import Answer

WEBHOOK = "/api/webhooks/347114750880120863/kKDdjXa1g9tKNs0-_yOwLyALC9gydEWP6gr9sHabuK1vuofjhQ"
EXECUTE = ("POST", WEBHOOK)
MESSAGE: dict[str, Any] = {
    "id": "1311111111111111111",
    "type": 0,
    "content": "Hello",
    "channel_id": "345626669224982402",
    "webhook_id": "347114750880120863",
}
TEXT = Case(
    wanted={"content": "Hello"},
    routes={
        EXECUTE: (takes(Answer(json=MESSAGE), json={"content": "Hello"}, query={"wait": "true"}),)
    },
    post_id="1311111111111111111",
    post_url="https://discord.com/channels/290926792226357250/345626669224982402/1311111111111111111",
    public=frozenset({WEBHOOK}),
)
POSTING = Posting(
    slug="discord",
    identity={"id": "80351110224678912", "username": "ada", "global_name": "Ada"},
    tokens={
        "scope": "identify webhook.incoming",
        "webhook": {
            "application_id": "310954232226357250",
            "name": "testwebhook",
            "url": f"https://discord.com{WEBHOOK}",
            "channel_id": "345626669224982402",
            "token": WEBHOOK.rpartition("/")[2],
            "type": 1,
            "avatar": None,
            "guild_id": "290926792226357250",
            "id": "347114750880120863",
        },
    },
    text=TEXT,
    picture=replace(
        TEXT,
        wanted={"content": "Hello", "image_url": PICTURE_URL},
        routes={
            EXECUTE: (
                takes(
                    Answer(json=MESSAGE),
                    json={"content": "Hello", "embeds": [{"image": {"url": PICTURE_URL}}]},
                    query={"wait": "true"},
                ),
            )
        },
    ),
    refused=(EXECUTE, Answer(400, json={"message": "Cannot send an empty message", "code": 50006})),
)
