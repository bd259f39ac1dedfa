"""Every address that takes a body, sent what is dear to parse: none parses it, or fails."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from connections_project.oauth.json_text import MOST_VALUES

MANY = 2 * MOST_VALUES
DEAR = {
    "a list": "[" + "[]," * MANY + "[]]",
    "in a field": '{"email": [' + '{"a":[]},' * MANY + '{}], "password": "x"}',
    "members": "{" + ",".join(f'"k{n}":1' for n in range(MANY)) + "}",
}
for claims in ("[" + "[]," * MANY + "[]]", '{"iss": [' + "[]," * MANY + '"x"]}'):
    header = base64.urlsafe_b64encode(b'{"alg": "RS256", "typ": "secevent+jwt"}').decode()
    payload = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    DEAR[f"a token of {claims[:4]}"] = f"{header}.{payload}.c2ln"
KINDS = ("application/json", "application/scim+json", "application/secevent+jwt", "")
SOME_ID = "01a226b7-d7d3-75b3-bb1c-5af1699930a6"


def addresses(prefix: str, patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from addresses(prefix + str(one.pattern), one.url_patterns)
        else:
            yield prefix + str(one.pattern)


def filled(template: str) -> str:
    return re.sub(r"<[^>]*>", SOME_ID, template).replace("^", "").replace("$", "")


@pytest.fixture
def _only_cheap_parses(monkeypatch: pytest.MonkeyPatch) -> None:
    parse: Callable[..., Any] = json.loads

    def parse_little(text: Any, *args: Any, **options: Any) -> Any:
        raw = text.encode() if isinstance(text, str) else bytes(text)
        assert sum(raw.count(sign) for sign in (b",", b"[", b"{")) <= MOST_VALUES
        return parse(text, *args, **options)

    monkeypatch.setattr(json, "loads", parse_little)


@pytest.mark.usefixtures("_only_cheap_parses", "db")
@pytest.mark.parametrize("is_signed_in", [False, True], ids=["anonymous", "signed in"])
@pytest.mark.parametrize("body", DEAR.values(), ids=DEAR.keys())
def test_no_address_parses_it(api: APIClient, body: str, is_signed_in: bool) -> None:
    client: Client = api if is_signed_in else Client()
    client.raise_request_exception = False
    refused = 0
    for template in sorted(set(addresses("/", get_resolver().url_patterns))):
        for method, kind in product(("POST", "PUT", "PATCH"), KINDS):
            answer = client.generic(method, filled(template), body, content_type=kind)
            assert answer.status_code < 500, (method, template, kind)
            assert len(getattr(answer, "content", b"")) < 64 * 1024, (method, template)
            refused += answer.status_code == 400
    assert refused > 5


@pytest.mark.usefixtures("_only_cheap_parses", "db")
def test_no_address_parses_a_bearer_like_that(client: Client) -> None:
    for name, text in DEAR.items():
        if name.startswith("a token"):
            bearer = {"Authorization": f"Bearer {text}"}
            assert client.get("/api/v1/providers", headers=bearer).status_code == 401
