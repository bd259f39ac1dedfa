"""Fetch what authorization servers publish of themselves, for operators who ask for it."""

import time
from collections.abc import Iterable

from connections_project.oauth.discovery import (
    Metadata,
    MetadataError,
    NoDocumentError,
    documents,
    parse_metadata,
)
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.messages import Request
from connections_project.oauth.transport import send

SECONDS = 10.0
ABSENT = frozenset({401, 403, 404, 405, 410})
# What these calls are counted under: who answers is not known yet.
CALLED = "discovery"


def fetch_metadata(url: str) -> Metadata | None:
    """Return the document of an issuer, or the one at this address; None where there is none.

    Raises:
        MetadataError: The address is wrong, nobody answers there, or the document can't be used.
    """
    ends_at = time.monotonic() + SECONDS
    failure: NoDocumentError | None = None
    for address in documents(url):
        try:
            found = _fetch(address, within=ends_at - time.monotonic())
            if found is not None:
                return parse_metadata(found, url=address)
        except NoDocumentError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return None


def first_metadata(urls: Iterable[str]) -> Metadata | None:
    """Return the first document that is found at one of these issuers.

    Raises:
        MetadataError: See `fetch_metadata`.
    """
    return next((found for url in urls if (found := fetch_metadata(url)) is not None), None)


def is_reachable(url: str) -> bool:
    """Whether somebody answers at an address, whatever it is."""
    try:
        send(Request("HEAD", url), platform=CALLED, within=SECONDS)
    except PlatformError as error:
        return error.code not in {"connect_error", "no_files"}
    return True


def _fetch(url: str, *, within: float) -> bytes | None:
    try:
        answer = send(Request("GET", url), platform=CALLED, within=max(within, 0.1))
    except PlatformError as error:
        raise MetadataError(f"{url}: {error.code}") from None
    if answer.status in ABSENT:
        return None
    if 300 <= answer.status < 400:
        raise NoDocumentError(f"{url}: answers {answer.status}")
    if answer.status != 200:
        raise MetadataError(f"{url}: answers {answer.status}")
    return answer.body
