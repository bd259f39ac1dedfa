"""Calendars at a platform on loopback; `tests/test_fourth_type.py` runs these tests."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from connections_project.identity.models import User
from connections_project.oauth.client import Identity
from connections_project.platforms.registry import upstream
from connections_project.revocation.grants import add_holder
from tests.admin.conftest import operator, page
from tests.conftest import UseCatalogue
from tests.metrics.conftest import scrape
from tests.support.bank import Bank
from tests.support.platform_server import PlatformServer
from tests.support.provider_rows import TOKENS

__all__ = ["operator", "page", "scrape"]

if not apps.is_installed("tests.fourth_type"):
    collect_ignore_glob = ["test_*"]

OVERLAY = """
[fourth_type.almanac]
authorization_endpoint = "{url}/authorize"
token_endpoint = "{url}/token"
identity_endpoint = "{url}/me"
deauthorization = "tiktok"
[fourth_type.almanac.revocation]
endpoint = "{url}/revoke"
"""


@pytest.fixture
def almanac(server: PlatformServer, use_catalogue: UseCatalogue) -> PlatformServer:
    """The platform of the type's own catalogue, moved to loopback."""
    use_catalogue(OVERLAY.format(url=server.url), "almanac")
    Bank(server).open()
    return server


@pytest.fixture
def calendar(almanac: PlatformServer, owner: User) -> Any:
    """A live calendar of the owner's."""
    from tests.fourth_type.models import Calendar

    now = timezone.now()
    row = Calendar(user=owner, platform="almanac", created_at=now, updated_at=now)
    found = upstream("almanac")
    assert found is not None
    row.take_grant(TOKENS, Identity("customer-7", "Ada"), upstream=found, now=now)
    row.save()
    add_holder(row.grant, app=row.app, connection_id=row.pk)
    return row


Run = Callable[..., Any]


@pytest.fixture
def run() -> Run:
    """Run a command that prints JSON."""

    def run(*command: Any, **options: Any) -> Any:
        out = io.StringIO()
        call_command(*command, stdout=out, stderr=io.StringIO(), **options)
        return json.loads(out.getvalue())

    return run
