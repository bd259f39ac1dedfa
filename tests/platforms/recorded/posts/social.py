"""Facebook Pages, Instagram and Threads (developers.facebook.com: pages-api/posts,
instagram-platform/content-publishing, threads/posts)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.meta_graph import USER

PICTURE_URL = "https://pictures.example.com/cat.jpg"
CONTAINER = "17889455560051444"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A post at a Graph API.

    Args:
        slug: The platform.
        account: By which of its accounts.
        calls: What is posted, by path, and what comes back.
        post_id: What the post is called there.
        permalink: The field that has its address.
        picture: Whether the post has one.
    """

    slug: str
    account: str
    calls: Mapping[str, tuple[Mapping[str, str], Mapping[str, Any]]]
    post_id: str
    permalink: str = "permalink"
    picture: bool = False


def container(slug: str, account: str, made: str, form: Mapping[str, str]) -> Case:
    """Make a case of a container that is published once its media are fetched."""
    return Case(
        slug=slug,
        account=account,
        calls={
            f"/{account}/{made}": (form, {"id": CONTAINER}),
            f"/{account}/{made}_publish": (
                {"creation_id": CONTAINER},
                {"id": "17920238422030506"},
            ),
        },
        post_id="17920238422030506",
        picture="image_url" in form,
    )


CASES = {
    "facebook_page text": Case(
        slug="facebook_page",
        account="71",
        calls={"/71/feed": ({"message": "Hello"}, {"id": "71_122093"})},
        post_id="71_122093",
        permalink="permalink_url",
    ),
    "facebook_page picture": Case(
        slug="facebook_page",
        account="71",
        calls={
            "/71/photos": (
                {"caption": "Hello", "url": PICTURE_URL},
                {"id": "122095", "post_id": "71_122093"},
            )
        },
        post_id="71_122093",
        permalink="permalink_url",
        picture=True,
    ),
    "instagram_business picture": container(
        "instagram_business", "1772", "media", {"image_url": PICTURE_URL, "caption": "Hello"}
    ),
    "threads text": container("threads", USER, "threads", {"media_type": "TEXT", "text": "Hello"}),
    "threads picture": container(
        "threads",
        USER,
        "threads",
        {"media_type": "IMAGE", "text": "Hello", "image_url": PICTURE_URL},
    ),
}
