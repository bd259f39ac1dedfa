"""The recorded channels, by their slugs."""

from tests.platforms.recorded.posts import (
    discord,
    linkedin,
    mastodon,
    pinterest,
    reddit,
    tiktok,
    x,
)
from tests.platforms.recorded.posts.posting import Posting

MODULES = (x, linkedin, tiktok, pinterest, reddit, discord, mastodon)
POSTINGS: dict[str, Posting] = {one.POSTING.slug: one.POSTING for one in MODULES}
