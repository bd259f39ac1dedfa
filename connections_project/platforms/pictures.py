"""Pictures whose address a user named, for platforms that want the bytes.

They are fetched like anything at an address that somebody else chose: by https, at global addresses
alone, which are looked at when they are connected to.
"""

import logging
import threading
import time
from functools import cache
from ipaddress import ip_network
from urllib.parse import urljoin

from django.conf import settings

from connections_project.core.database import release_connections
from connections_project.oauth.addresses import origin_of
from connections_project.oauth.guarded import Fetched, FetchError, GuardedClient
from connections_project.platforms.post_rules import ImageRule
from connections_project.platforms.publishing import Picture

logger = logging.getLogger(__name__)

FETCH_SECONDS = 15.0
MOST_REDIRECTS = 3
# Of a process's threads only so many wait for servers that users name: the others go on with posts.
AT_ONCE = 4
PATIENCE_SECONDS = 1.0
_slots = threading.BoundedSemaphore(AT_ONCE)
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class PicturesBusyError(Exception):
    """So many pictures are waited for that this one has to come later."""


class PictureUnavailableError(Exception):
    """There is no such picture to be had; the text says why, without the address."""


def fetch_picture(url: str, rule: ImageRule, *, within: float = FETCH_SECONDS) -> Picture:
    """Fetch a picture.

    Args:
        url: https. It is followed to other addresses of the same host alone.
        within: Seconds for all of it.

    Raises:
        PictureUnavailableError: It can't be fetched, or is none that the platform takes.
        PicturesBusyError: See there.
    """
    release_connections()
    if not _slots.acquire(timeout=PATIENCE_SECONDS):
        raise PicturesBusyError
    try:
        answer = _followed(url, rule, ends_at=time.monotonic() + within)
        return _picture(answer, rule)
    except PictureUnavailableError as error:
        logger.warning("A picture can't be published: %s", error)
        raise
    finally:
        _slots.release()


def _followed(url: str, rule: ImageRule, *, ends_at: float) -> Fetched:
    for _ in range(MOST_REDIRECTS + 1):
        answer = _fetch(url, rule, within=ends_at - time.monotonic())
        if answer.status not in REDIRECTS:
            return answer
        url = _target(url, answer.headers.get("Location", ""))
    raise PictureUnavailableError("redirected too often")


def _target(url: str, location: str) -> str:
    """Return where a redirect leads, which must be at the same host."""
    try:
        target = urljoin(url, location)
        is_same = origin_of(target) == origin_of(url)
    except ValueError:
        is_same = False
    if not is_same:
        raise PictureUnavailableError("redirected to another host")
    return target


def _fetch(url: str, rule: ImageRule, *, within: float) -> Fetched:
    client = _client(tuple(settings.IMAGE_ALLOWED_NETWORKS), rule.largest)
    try:
        return client.send("GET", url, within=within, headers={"Accept": "image/*"})
    except FetchError as error:
        # Nothing of it is kept: its causes quote the address.
        code = error.code
    if code == "no_files":
        raise PicturesBusyError
    raise PictureUnavailableError(code)


def _picture(answer: Fetched, rule: ImageRule) -> Picture:
    if answer.status != 200:
        raise PictureUnavailableError(f"status {answer.status}")
    if not answer.is_whole:
        raise PictureUnavailableError(f"more than {rule.largest} bytes")
    media_type = media_type_of(answer.body)
    if media_type not in rule.types:
        raise PictureUnavailableError(f"of type {media_type or 'unknown'}")
    return Picture(answer.body, media_type)


def media_type_of(content: bytes) -> str:
    """Return the media type that a file begins like, whatever its server calls it; empty for none.

    https://mimesniff.spec.whatwg.org/#image-type-pattern-matching-algorithm
    """
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if content[:4] == b"RIFF" and content[8:14] == b"WEBPVP" else ""


@cache
def _client(networks: tuple[str, ...], largest: int) -> GuardedClient:
    return GuardedClient(networks=[ip_network(one) for one in networks], largest=largest)
