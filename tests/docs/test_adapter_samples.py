"""The adapters that the pages show can be used as they stand."""

import re
import sys
from types import ModuleType
from typing import Any

import pytest

from connections_project.oauth.client import ClientRegistration, TokenSet
from connections_project.oauth.errors import DeadGrant
from connections_project.oauth.platform_entries import DeadGrantMatcher, Platform
from connections_project.platforms.publishing import Post, PublishSession
from connections_project.platforms.registry import Upstream
from tests.support.platform_server import Answer, PlatformServer
from tests.support.process_environment import ROOT


def sample_of(page: str) -> ModuleType:
    """Run the one adapter that a page shows."""
    blocks = re.findall(r"^ *```python\n(.*?)^ *```", (ROOT / page).read_text(), re.S | re.M)
    (text,) = [one for one in blocks if "adapter = Adapter(" in one]
    indent = re.match(" *", text)
    module = ModuleType("sample")
    exec(re.sub(f"^{indent[0] if indent else ''}", "", text, flags=re.M), module.__dict__)
    return module


def test_a_sample_refreshes(server: PlatformServer) -> None:
    dead = DeadGrantMatcher(status=400, error="gone", becomes="expired")
    platform = Platform(
        app="providers",
        slug="example",
        name="Example",
        token_endpoint=f"{server.url}/refresh",
        dead_grant=(dead,),
    )
    upstream = Upstream(platform, ClientRegistration("id", "secret", ()))
    adapter: Any = sample_of("docs/architecture.md").adapter
    tokens = TokenSet("access-1", "refresh-1")
    server.on("POST", "/refresh", Answer(json={"access_token": "access-2"}))
    assert adapter.refresh(upstream, tokens, 5.0).access_token == "access-2"
    assert server.requests[-1].json == {"client": "id", "token": "refresh-1"}
    server.on("POST", "/refresh", Answer(400, json={"error": "gone"}))
    with pytest.raises(DeadGrant):
        adapter.refresh(upstream, tokens, 5.0)


@pytest.mark.parametrize(
    ("page", "path"), [("docs/catalog.md", "/v1/notes"), ("CONTRIBUTING.md", "/v1/posts")]
)
def test_a_sample_publishes(page: str, path: str, server: PlatformServer) -> None:
    server.on("POST", path, Answer(201, json={"id": "n1"}))
    platform = Platform(app="channels", slug="example", name="Example", api_base=server.url)
    upstream = Upstream(platform, ClientRegistration("id", "secret", ()))
    tokens = TokenSet("access-1")
    session = PublishSession(upstream, tokens, sys.maxsize, lambda: None)
    adapter: Any = sample_of(page).adapter
    assert adapter.publishing.publish(session, Post("1", "Hello")).post_id == "n1"
    (request,) = server.requests
    assert (request.json["text"], session.is_sent) == ("Hello", True)
