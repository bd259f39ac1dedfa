"""Fetch what authorization servers publish of themselves, for operators who ask for it."""

import time
from collections.abc import Iterable
from functools import cache
from ipaddress import ip_network
from urllib.parse import urlsplit

from django.conf import settings

from connections_project.oauth.catalog_values import is_loopback
from connections_project.oauth.discovery import Metadata, MetadataError, documents, parse_metadata
from connections_project.oauth.guarded import FetchError, GuardedClient

SECONDS = 10.0
LARGEST_DOCUMENT = 256 * 1024
LOOPBACK = ("127.0.0.0/8", "::1/128")
ABSENT = frozenset({401, 403, 404, 405, 410})


def fetch_metadata(url: str) -> Metadata | None:
    """Return the document of an issuer, or the one at this address; None where there is none.

    Raises:
        MetadataError: The address is wrong, nobody answers there, or the document can't be used.
    """
    ends_at = time.monotonic() + SECONDS
    for address in documents(url):
        found = _fetch(address, within=ends_at - time.monotonic())
        if found is not None:
            return parse_metadata(found, url=address)
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
        _client(is_loopback(urlsplit(url).hostname or "")).send("HEAD", url, within=SECONDS)
    except FetchError as error:
        return error.code not in {"connect_error", "address_refused"}
    return True


def _fetch(url: str, *, within: float) -> bytes | None:
    client = _client(is_loopback(urlsplit(url).hostname or ""))
    try:
        answer = client.send(
            "GET", url, within=max(within, 0.1), headers={"Accept": "application/json"}
        )
    except FetchError as error:
        raise MetadataError(f"{url}: {error.code}") from None
    if answer.status in ABSENT:
        return None
    if answer.status != 200:
        raise MetadataError(f"{url}: answers {answer.status}")
    if not answer.is_whole:
        raise MetadataError(f"{url}: is longer than {LARGEST_DOCUMENT // 1024} KiB")
    return answer.body


@cache
def _client(to_loopback: bool) -> GuardedClient:
    """Return a client that goes to global addresses, and to loopback where that is named outright.

    The catalogue may name it too, as the sandbox's table does.
    """
    networks = [*settings.EVENT_ALLOWED_NETWORKS, *(LOOPBACK if to_loopback else ())]
    return GuardedClient(networks=[ip_network(one) for one in networks], largest=LARGEST_DOCUMENT)
