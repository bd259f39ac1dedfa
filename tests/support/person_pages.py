"""What a person reads on the pages."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from tests.support.bank import query_of


def words(page: Any) -> str:
    """Return the text of a page, without tags and with single spaces."""
    body = page.content.decode().partition("<body")[2].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def policy(page: Any) -> dict[str, list[str]]:
    """Return the directives of a page's Content-Security-Policy."""
    parts = (part.split() for part in page["Content-Security-Policy"].split("; "))
    return {name: values for name, *values in parts}


def connect(browser: Client, slug: str = "bank") -> dict[str, str]:
    """Start connecting on the page; return the query that the platform gets."""
    answer = browser.post("/connections/connect", {"platform": slug})
    assert answer.status_code == 302, answer.content
    return query_of(answer["Location"])


def come_back(browser: Client, query: dict[str, str], **more: str) -> Any:
    """Come back from the platform with a code, unless `more` says otherwise."""
    path = urlsplit(query["redirect_uri"]).path
    return browser.get(path, {"state": query["state"], "code": "the-code", **more})
