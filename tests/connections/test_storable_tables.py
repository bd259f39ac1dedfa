"""Every table that is written or locked once a platform has answered is looked at before."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper
from rest_framework.test import APIClient

from connections_project.core import storable
from connections_project.identity.models import User
from tests.conftest import UseCatalogue
from tests.support import bank as banks
from tests.support import chirp as chirps
from tests.support import gallery as galleries
from tests.support.bank import Bank
from tests.support.channel_publishing import ADAPTER, X, accepted, due_schedule, published
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.gallery import Gallery
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import connection_of
from tests.support.social_publishing import MORE, publish
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db(transaction=True)

WRITES = re.compile(r'^\s*(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM) "?(\w+)')
LOCKS = re.compile(r'FROM "(\w+)".*FOR (?:NO KEY )?UPDATE', re.DOTALL)
GRANT = 'blast_radius = "grant"'
# The shares of workers: they are given back once a post is stored.
BESIDE = frozenset({"revocation_workerslots"})

Tables = set[str]
Spend = Callable[[APIClient, User, PlatformServer, UseCatalogue], None]


@pytest.fixture
def tables(server: PlatformServer, monkeypatch: pytest.MonkeyPatch) -> Tables:
    """Collect the tables of all threads, from the first call to the platform on."""
    found: Tables = set()
    real = CursorWrapper._execute_with_wrappers  # type: ignore[attr-defined]

    def collect(self: Any, sql: Any, *rest: Any, **more: Any) -> Any:
        if server.requests:
            text = str(sql)
            found.update(WRITES.findall(text) + LOCKS.findall(text))
        return real(self, sql, *rest, **more)

    monkeypatch.setattr(CursorWrapper, "_execute_with_wrappers", collect)
    return found


def provider(api: APIClient, owner: User, server: PlatformServer, use: UseCatalogue) -> None:
    bank = Bank(server)
    use(bank.catalogue(revocation=GRANT), "bank")
    bank.open()
    connection_of(owner, status="expired", account_id=bank.account_id)
    assert banks.call_back(api, banks.start(api)).status_code == 201


def refresh(api: APIClient, owner: User, server: PlatformServer, use: UseCatalogue) -> None:
    bank = Bank(server)
    use(bank.catalogue(), "bank")
    bank.open()
    path = f"/api/v1/providers/{connection_of(owner).pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code == 201


def channel(api: APIClient, owner: User, server: PlatformServer, use: UseCatalogue) -> None:
    chirp = Chirp(server)
    use(chirp.catalogue(revocation=GRANT), "chirp")
    chirp.open()
    due_schedule(channel_of(owner, status="error", account_id=chirp.account_id))
    assert chirps.call_back(api, chirps.start(api)).status_code == 201


def post(api: APIClient, owner: User, server: PlatformServer, use: UseCatalogue) -> None:
    chirp = Chirp(server)
    use(chirp.catalogue(more=ADAPTER.format("x")), "chirp")
    server.on("POST", X, accepted())
    due_schedule(channel_of(owner))
    assert published() == ["published"]


def team(api: APIClient, owner: User, server: PlatformServer, use: UseCatalogue) -> None:
    gallery = Gallery(server)
    use(gallery.catalogue(revocation=GRANT), "gallery")
    gallery.open()
    assert galleries.call_back(api, galleries.start(api)).status_code == 201


def team_post(api: APIClient, owner: User, server: PlatformServer, use: UseCatalogue) -> None:
    gallery = Gallery(server)
    use(gallery.catalogue(more=MORE), "gallery")
    server.on("POST", "/7/posts", Answer(json={"id": "71"}))
    assert publish(api, account_of(owner.own_team), "key-1").status_code == 200


@pytest.mark.parametrize("spend", [provider, refresh, channel, post, team, team_post])
def test_all_are_looked_at(
    spend: Spend,
    api: APIClient,
    owner: User,
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    tables: Tables,
) -> None:
    spend(api, owner, server, use_catalogue)
    assert "audit_auditevent" in tables
    assert tables - BESIDE <= set(storable._tables)
