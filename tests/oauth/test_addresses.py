"""Where an address leads is read as the HTTP client reads it, and in no other way."""

import re
from pathlib import Path

import pytest
import requests
from urllib3.util import parse_url

from connections_project.oauth.addresses import Origin, origin_of

ROOT = Path(__file__).parents[2]
PRODUCT = ("audit", "channels", "connections_project", "providers", "social")
READS = re.compile(r"\burl(?:split|parse)\(")
# Who reads addresses by `urllib.parse` all the same, and what of them.
ALLOWED = {
    "providers/paging.py": "adds to the query of ours",
    "social/adapters/meta/grants.py": "takes the cursor out, and nothing else",
    "social/adapters/meta/graph.py": "adds to the query of ours",
    "connections_project/oauth/discovery.py": "what `endpoint` has let through",
    "connections_project/oauth/messages.py": "the query",
    "connections_project/oauth/client.py": "adds to the query of the catalogue's",
    "connections_project/oauth/identity.py": "takes the catalogue's host",
    "connections_project/oauth/key_server.py": "the operator's issuers",
    "connections_project/conf/": "what the operator sets",
    "connections_project/core/checks.py": "what the operator sets",
    "connections_project/sandbox/": "no part of the product",
    "connections_project/api/fields.py": "passed on to platforms, and called by none of us",
    "connections_project/connections/callback_page.py": "whether it is a path of ours",
    "connections_project/events/endpoints.py": "looked at again when it is connected to",
    "connections_project/operations/breach.py": "the catalogue's",
    "connections_project/platforms/catalog_check.py": "the catalogue's",
    "connections_project/platforms/management/commands/discover.py": "names a table",
    "connections_project/pages/": "where browsers go, which read by the URL Standard",
}


def files() -> list[tuple[str, str]]:
    found = [path for app in PRODUCT for path in (ROOT / app).rglob("*.py")]
    return [(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in found]


def test_nobody_else_reads_addresses_by_the_other_reader() -> None:
    reading = [name for name, text in files() if READS.search(text)]
    assert [one for one in reading if not one.startswith(tuple(ALLOWED))] == []
    assert [one for one in ALLOWED if not any(name.startswith(one) for name in reading)] == []


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://bank.example/x?y#z", Origin("https", "bank.example", 443)),
        ("HTTPS://Bank.Example:443", Origin("https", "bank.example", 443)),
        ("http://127.0.0.1:8000/@x", Origin("http", "127.0.0.1", 8000)),
        ("http://[::1]/a:b@c", Origin("http", "[::1]", 80)),
        ("https://bank.example?@evil.example/", Origin("https", "bank.example", 443)),
        ("https://bank.example/x?after=//a@b", Origin("https", "bank.example", 443)),
        ("https://bank.example//a@b?since=2025-12-01 10:00", Origin("https", "bank.example", 443)),
        ("https://bücher.example/", Origin("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_an_origin_is_read_as_it_is_called(address: str, origin: Origin) -> None:
    assert origin_of(address) == origin
    called = parse_url(requests.Request("GET", address).prepare().url or "")
    assert (called.scheme, called.host) == origin[:2]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example\\@bank.example/", "https:\\\\bank.example/", "https://bank.example/\\",
        "https://bank.example@evil.example/", "https://@bank.example/", "https://u:p@bank.example/",
        "https://bank.example\t.evil.example/", "https://bank.example/\n", " https://bank.example/",
        "https://bank.example\x00.evil.example/", "https://bank.example\xa0/", "//bank.example/",
        "https://bank .example/", "https://bank.example /", "https://bank.example @evil.example/",
        "https: //bank.example/", " //u@bank.example",
        "bank.example/x", "ftp://bank.example/", "https:///x", "https://bank.example:0/",
        "https://bank.example:65536/", "https://[::1/", "https://bank.example:x/", "",
    ],
)  # fmt: skip
def test_what_is_not_read_alike_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin_of(address)
