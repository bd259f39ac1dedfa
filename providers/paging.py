"""Read a provider's list to its end, page by page, within bounds."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from requests.utils import parse_header_links

from connections_project.oauth.addresses import origin_of
from connections_project.oauth.answers import tells_error
from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.paths import dig, is_null
from connections_project.oauth.transport import Answer
from providers.turns import computing

# Halves of characters, which no address can hold.
UNENCODABLE = re.compile("[\ud800-\udfff]")

logger = logging.getLogger(__name__)

MOST_PAGES = 100
# Of one sync, over all of its lists.
MOST_BYTES = 32 * 1024 * 1024


class Asker(Protocol):
    """Asks on a user's behalf, and counts what came."""

    platform: Platform
    bytes_read: int

    def ask(self, url: str) -> Answer:
        """Return the answer of an address.

        Raises:
            PlatformError: It is no success, or the time for all calls is up.
        """
        ...


@dataclass(frozen=True)
class Listed:
    """A list as far as it could be read.

    Args:
        entries: Of all pages.
        is_whole: Whether these are all that the provider has.
        error: What ended the reading after the first page, if that was a fault.
    """

    entries: list[Any]
    is_whole: bool = True
    error: PlatformError | None = None

    def cut_to(self, most: int) -> "Listed":
        """Return no more than so many of its entries."""
        if len(self.entries) <= most:
            return self
        return replace(self, entries=self.entries[:most], is_whole=False)


@dataclass(frozen=True)
class List:
    """Where a list stands.

    Args:
        path: The dotted path to the entries.
        id_path: The dotted path to an entry's id, which is the cursor of some platforms.
        most: How many entries are taken.
        is_enough: Whether an entry is the last one that is wanted.
    """

    url: str
    path: str
    id_path: str
    most: int
    is_enough: Callable[[Any], bool] = lambda _: False


class _CutError(Exception):
    """There is more, which can't be had; the text says why."""


def read_list(asker: Asker, wanted: List) -> Listed:
    """Read a list to its end: at most 100 pages, as many entries as are wanted, 32 MiB a sync.

    Raises:
        PlatformError: Its first page can't be had, or is no list.
    """
    return _read_pages(asker, wanted).cut_to(wanted.most)


def _read_pages(asker: Asker, wanted: List) -> Listed:
    entries: list[Any] = []
    url: str | None = wanted.url
    asked: set[str] = set()
    try:
        while url is not None:
            _require_room(asker, url, asked, left=wanted.most - len(entries))
            asked.add(url)
            answer = asker.ask(url)
            page = _page(answer, wanted)
            entries += page.entries
            if tells_error(page.document):
                if not entries:
                    # That it lists nothing doesn't mean that there is nothing.
                    raise answer.error("refused")
                raise _CutError("its answer names errors")
            url = _next(asker.platform, page, wanted, url=url, count=len(entries))
    except _CutError as cut:
        logger.warning("%s: a list was cut: %s", asker.platform.slug, cut)
        return Listed(entries, is_whole=False)
    except PlatformError as error:
        if len(asked) < 2:
            raise
        return Listed(entries, is_whole=False, error=error)
    return Listed(entries)


def _require_room(asker: Asker, url: str, asked: set[str], *, left: int) -> None:
    if url in asked:
        raise _CutError("its pages go round in a circle")
    if len(asked) >= MOST_PAGES or asker.bytes_read > MOST_BYTES or left <= 0:
        raise _CutError("it is too long")


@dataclass(frozen=True)
class _Page:
    """A page, which is parsed once: megabytes of JSON keep a whole process waiting."""

    headers: Mapping[str, str]
    document: Any
    entries: list[Any]


def _page(answer: Answer, wanted: List) -> _Page:
    with computing:
        document = answer.json()
    found = dig(document, wanted.path)
    if is_null(document, wanted.path):
        # So some languages write a list without entries.
        found = []
    if not isinstance(found, list):
        raise answer.error("malformed")
    return _Page(answer.headers, document, found)


def _next(platform: Platform, page: _Page, wanted: List, *, url: str, count: int) -> str | None:
    """Return the address of the next page; None at the end."""
    if page.entries and wanted.is_enough(page.entries[-1]):
        return None
    match platform.paging:
        case "link":
            return _linked(platform, page, url=url)
        case "cursor":
            cursor = _cursor(platform, page, wanted)
            return None if cursor is None else _with(url, {platform.paging_parameter: cursor})
        case "offset":
            is_last = len(page.entries) < platform.page_size
            return None if is_last else _with(url, {platform.paging_parameter: str(count)})
    if platform.page_size and len(page.entries) >= platform.page_size:
        raise _CutError("there may be more, and no further page")
    return None


def _linked(platform: Platform, page: _Page, *, url: str) -> str | None:
    """Return the address that the answer names; only one at the same host may have the token."""
    link = dig(page.document, platform.paging_field) if platform.paging_field else _header(page)
    if _is_none(link):
        return None
    try:
        following: str = urljoin(url, link)
        is_here = origin_of(following) == origin_of(url)
    except (TypeError, ValueError, AttributeError):
        raise _CutError("its next page has no address") from None
    if not is_here:
        raise _CutError("its next page is at another host")
    return following


def _is_none(following: Any) -> bool:
    """Whether there is no next page, in each way in which that is said."""
    return following is None or following is False or following == ""


def _header(page: _Page) -> str | None:
    """Return the target of a Link header with rel="next" (RFC 8288)."""
    links = parse_header_links(page.headers.get("Link") or "")
    return next((one["url"] for one in links if one.get("rel") == "next"), None)


def _cursor(platform: Platform, page: _Page, wanted: List) -> str | None:
    if platform.paging_field:
        found = dig(page.document, platform.paging_field)
    else:
        # The id of the last entry, unless the page is not full.
        is_last = not page.entries or len(page.entries) < platform.page_size
        found = None if is_last else dig(page.entries[-1], wanted.id_path)
        if not is_last and found is None:
            raise _CutError("its last entry has no id")
    if _is_none(found):
        return None
    if found is True or not isinstance(found, str | int) or UNENCODABLE.search(str(found)):
        raise _CutError("its cursor is no text")
    return str(found)


def _with(url: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | dict(parameters)
    return urlunsplit(parts._replace(query=urlencode(query)))
