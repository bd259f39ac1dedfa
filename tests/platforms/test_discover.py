"""`manage.py discover`: a table from what an authorization server publishes."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connections_project.oauth.catalog import Platform, load_catalog
from connections_project.oauth.discovery import documents, issuer_of
from connections_project.oauth.proxy import OutboundProxy
from connections_project.oauth.transport import LARGEST_BODY, use_proxy
from tests.sandbox.conftest import sandbox
from tests.support.forward_proxy import ForwardProxy, proxy
from tests.support.platform_server import Answer, PlatformServer
from tests.support.sandbox_server import SandboxHandle

__all__ = ["proxy", "sandbox"]

OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"


def metadata(server: PlatformServer, **differing: Any) -> dict[str, Any]:
    return {
        "issuer": server.url,
        "authorization_endpoint": f"{server.url}/authorize",
        "token_endpoint": f"{server.url}/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "scopes_supported": ["openid", "accounts", "offline_access"],
        "userinfo_endpoint": f"{server.url}/me",
        "revocation_endpoint": f"{server.url}/revoke",
        **differing,
    }


def discovered(url: str, *arguments: str) -> str:
    out = StringIO()
    call_command("discover", url, *arguments, stdout=out)
    return out.getvalue()


def loaded(text: str, folder: Path) -> Platform:
    path = folder / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    (platform,) = load_catalog(path).all()
    return platform


def refusal(url: str, *arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        discovered(url, *arguments)
    return caught.value


def test_the_table_is_one_of_the_catalogue(server: PlatformServer, tmp_path: Path) -> None:
    server.on("GET", OPENID, Answer(json=metadata(server)))
    table = discovered(server.url, "--app", "channels", "--slug", "other")
    platform = loaded(table, tmp_path)
    assert (platform.app, platform.slug, platform.name) == ("channels", "other", "127.0.0.1")
    assert (platform.issuer, platform.token_endpoint) == (server.url, f"{server.url}/token")
    assert platform.token_endpoint_auth_method == "client_secret_post"
    assert (platform.code_challenge_method, platform.refresh) == ("S256", "rotating")
    assert platform.scopes == ("openid", "offline_access")
    assert platform.revocation is not None
    assert platform.revocation.endpoint == f"{server.url}/revoke"
    assert platform.revocation.verify == "identity"
    assert "openid, accounts, offline_access" in table


def test_values_may_be_had_as_json(server: PlatformServer) -> None:
    document = metadata(server, introspection_endpoint=f"{server.url}/introspect")
    server.on("GET", OAUTH, Answer(json=document))
    values = json.loads(discovered(server.url, "--json"))
    assert values["revocation"] == {
        "endpoint": f"{server.url}/revoke",
        "verify": "introspection",
        "introspection_endpoint": f"{server.url}/introspect",
    }


def test_the_sandbox_describes_its_own_table(sandbox: SandboxHandle, tmp_path: Path) -> None:
    platform = loaded(discovered(sandbox.url), tmp_path)
    known = load_catalog(sandbox.catalogue_path)["sandbox"]
    for key in ("issuer", "authorization_endpoint", "token_endpoint", "code_challenge_method"):
        assert getattr(platform, key) == getattr(known, key)
    assert platform.revocation is not None
    assert known.revocation is not None
    assert platform.revocation.endpoint == known.revocation.endpoint


@pytest.mark.parametrize(
    ("differing", "why"),
    [
        ({"issuer": "https://another.example"}, "is of another issuer"),
        ({"issuer": 5}, "names no issuer"),
        ({"token_endpoint": "http://bank.example/token"}, "has no token_endpoint"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "private_key_jwt alone"),
    ],
)
def test_a_document_that_can_not_be_used(
    server: PlatformServer, differing: dict[str, Any], why: str
) -> None:
    server.on("GET", OAUTH, Answer(json=metadata(server, **differing)))
    error = refusal(server.url)
    assert why in str(error)
    assert error.returncode == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(404), "publishes no document"),
        (Answer(503), "answers 503"),
        (Answer(302, headers={"Location": "http://127.0.0.1/"}), "answers 302"),
        (Answer(body=b"<html>"), "is no JSON object"),
        (Answer(body=b"[" * (LARGEST_BODY + 1)), "too_large"),
    ],
)
def test_no_document_is_said_in_one_line(server: PlatformServer, answer: Answer, why: str) -> None:
    for path in (OAUTH, OPENID):
        server.on("GET", path, answer)
    error = refusal(server.url)
    assert why in str(error)
    assert error.returncode == 1


@pytest.mark.parametrize(
    "answer", [Answer(body=b"<html>"), Answer(302, headers={"Location": "/sign-in"})]
)
def test_a_page_in_place_of_a_document_is_passed_over(
    server: PlatformServer, answer: Answer
) -> None:
    server.on("GET", OAUTH, answer).on("GET", OPENID, Answer(json=metadata(server)))
    assert f"{server.url}/token" in discovered(server.url)


def test_a_document_of_another_issuer_is_not_passed_over(server: PlatformServer) -> None:
    server.on("GET", OAUTH, Answer(json=metadata(server, issuer="https://another.example")))
    server.on("GET", OPENID, Answer(json=metadata(server)))
    assert "is of another issuer" in str(refusal(server.url))


@pytest.mark.parametrize(
    "arguments",
    [
        ("http://[::1",),
        ("https://\u2100.example",),
        ("http://bank.example",),
        ("bank",),
        ("https://bank.example", "--app", "banks"),
        ("https://bank.example", "--slug", "A-Bank"),
    ],
)
def test_wrong_use_is_told_apart(arguments: tuple[str, ...]) -> None:
    assert refusal(*arguments).returncode == 2


def test_documents_are_asked_for_through_the_proxy(
    server: PlatformServer, proxy: ForwardProxy
) -> None:
    server.on("GET", OAUTH, Answer(json=metadata(server)))
    use_proxy(OutboundProxy(proxy.url))
    assert discovered(server.url)
    assert [url for _, url, _ in proxy.seen] == [f"{server.url}{OAUTH}"]


def test_an_issuer_with_a_path_has_its_documents() -> None:
    assert documents("https://id.example/tenant/") == (
        f"https://id.example{OAUTH}/tenant",
        f"https://id.example/tenant{OPENID}",
        f"https://id.example{OPENID}/tenant",
    )
    for url in documents("https://id.example/tenant"):
        assert issuer_of(url) == "https://id.example/tenant"
