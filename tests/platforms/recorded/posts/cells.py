"""What is recorded of publishing at each platform, and of what is not, why."""

from connections_project.oauth.catalog import Platform
from connections_project.platforms.adapter import adapter_of
from tests.platforms.recorded.posts.postings import POSTINGS
from tests.platforms.recorded.posts.social import CASES

YES, UNRECORDED = "recorded", "no: not recorded"
# Each is played by tests/platforms/contract, from the consent on.
NOTICES = frozenset(
    {"x", "youtube", "tiktok", "discord", "facebook_page", "instagram_business", "threads"}
)


def notice(platform: Platform) -> str:
    if not platform.deauthorization:
        return "no: none is read"
    return YES if platform.slug in NOTICES else UNRECORDED


def text(platform: Platform) -> str:
    publishing = adapter_of(platform).publishing
    if publishing is None:
        return "no: nothing is published"
    if publishing.image and publishing.image.required:
        return "no: has no posts without a picture"
    return YES if (platform.slug, False) in recorded() else UNRECORDED


def picture(platform: Platform) -> str:
    publishing = adapter_of(platform).publishing
    if publishing is None:
        return "no: nothing is published"
    if publishing.image is None:
        return "no: takes none"
    return YES if (platform.slug, True) in recorded() else UNRECORDED


def recorded() -> set[tuple[str, bool]]:
    """Return which posts are recorded: where, and whether with a picture."""
    channels = {
        (slug, is_picture)
        for slug, one in POSTINGS.items()
        for is_picture, case in ((False, one.text), (True, one.picture))
        if case
    }
    return channels | {(one.slug, one.picture) for one in CASES.values()}
