"""Two pages on one consent at an OAuth server of somebody else's making, which rotates its tokens
and ends them all when a used one comes back: sharing tokens has to be right there."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.connections.refresh import refreshed_for_use
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import ClientRegistration
from social.models import SocialAccount
from tests.support.disconnects import disconnect_one
from tests.support.gallery import SOCIAL
from tests.support.gallery import disconnect as disconnect_by_api
from tests.support.sandbox_server import SandboxHandle, authorize, introspect, running_sandbox
from tests.support.social_publishing import publish, status_and_error

pytestmark = pytest.mark.django_db(transaction=True)

SLUG = "sandbox_pages"
REDIRECT_URI = f"https://localhost:8000/oauth/callback/{SLUG}"
ORIGIN = command_origin(None)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    folder = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(folder, redirect_uris=[REDIRECT_URI]) as handle:
        yield handle


@pytest.fixture
def pages(api: APIClient, sandbox: SandboxHandle, settings: LazySettings) -> list[SocialAccount]:
    settings.CATALOG_FILES = (sandbox.catalogue_path,)
    client = asdict(ClientRegistration(sandbox.client_id, sandbox.client_secret, (REDIRECT_URI,)))
    settings.OAUTH_CLIENTS = {**settings.OAUTH_CLIENTS, SLUG: client}
    return connect(api, sandbox)


def connect(api: APIClient, sandbox: SandboxHandle, **body: Any) -> list[SocialAccount]:
    """Walk sign-in and consent as a browser, and call back with all that came."""
    wanted = {"platform": SLUG, **body}
    begun = api.post(f"{SOCIAL}/connect", wanted, format="json").json()
    target = urlsplit(authorize(sandbox, begun["authorizationUrl"]))
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    answer = api.post(f"{SOCIAL}/callback", query_params=query)
    assert answer.status_code == 201, answer.content
    rows = SocialAccount.objects.in_bulk([one["id"] for one in answer.json()["accounts"]])
    return sorted(rows.values(), key=lambda row: row.platform_account_id or "")


def are_alive(sandbox: SandboxHandle, *rows: SocialAccount) -> set[bool]:
    held = [SocialAccount.objects.get(pk=row.pk).opened() for row in rows]
    tokens = [token for one in held for token in (one.access_token, one.refresh_token or "")]
    return {introspect(sandbox, token)["active"] for token in tokens}


def test_two_pages_of_one_grant_connect_and_end(
    api: APIClient, sandbox: SandboxHandle, pages: list[SocialAccount]
) -> None:
    engine, notes = pages
    assert publish(api, notes, "key-1").status_code == 200
    # Refreshed in turns: with a token that was used before, the server would end them all.
    for row in (engine, notes, engine):
        refreshed_for_use(SocialAccount.objects.get(pk=row.pk), origin=ORIGIN, force=True)
    assert publish(api, engine).status_code == publish(api, notes).status_code == 200
    assert are_alive(sandbox, engine, notes) == {True}

    assert disconnect_by_api(api, notes).status_code == 200
    assert status_and_error(publish(api, notes)) == (403, "Account inactive")
    assert publish(api, engine).status_code == 200

    (back,) = [row for row in connect(api, sandbox, accountIds=[str(notes.pk)]) if row == notes]
    assert back.is_active
    assert publish(api, back).status_code == 200


def test_the_last_pages_revocation_ends_the_grant(
    sandbox: SandboxHandle, pages: list[SocialAccount]
) -> None:
    engine, notes = pages
    tokens = engine.opened()
    assert disconnect_one(engine, erase_tokens=True) == "shared_grant"
    assert are_alive(sandbox, notes) == {True}
    assert disconnect_one(notes, erase_tokens=True) == "pending"
    for token in (tokens.access_token, tokens.refresh_token or ""):
        assert introspect(sandbox, token)["active"] is False
