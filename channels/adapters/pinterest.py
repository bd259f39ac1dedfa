"""Pinterest: pins of a picture at an address (pinterest/api-description v5/openapi.yaml)."""

from connections_project.oauth.calls import api_url
from connections_project.oauth.messages import Request
from connections_project.oauth.paths import dig
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import ImageRule, Option, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession

OPTIONS = {
    "board_id": Option(required=True, longest=64, pattern=r"[\w-]+", hint="Give a board's id."),
    "title": Option(longest=100),
    "link": Option(longest=2048, pattern=r"https?://\S+", hint="Give a web address."),
    "alt_text": Option(longest=500),
}


def publish(session: PublishSession, post: Post) -> Published:
    body = {
        **post.options,
        "description": post.text,
        "media_source": {"source_type": "image_url", "url": post.image_url},
    }
    url = api_url(session.upstream.platform, "/v5/pins")
    request = Request("POST", url, headers=session.authorization, json=body)
    pin_id = dig(session.call(request, publishes=True).json(), "id")
    return session.published(pin_id, f"https://www.pinterest.com/pin/{pin_id}/")


# No key identifies a repeated pin.
adapter = Adapter(
    publishing=Publishing(
        publish=publish, text_max=800, image=ImageRule(required=True), options=OPTIONS
    )
)
