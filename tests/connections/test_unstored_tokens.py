"""The database fails while fresh tokens are stored: they are stored anew, or revoked at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, connection
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.connections import callback, unstored
from connections_project.core.instruments import UNSTORED_TOKENS
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.platforms.registry import upstream
from connections_project.revocation import in_use
from providers.models import Connection
from social.models import SocialAccount
from tests.conftest import SignIn, UseCatalogue
from tests.support import bank as banks
from tests.support import chirp as chirps
from tests.support import gallery as galleries
from tests.support.bank import Bank
from tests.support.chirp import Chirp
from tests.support.gallery import Gallery
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import connection_of

# A second connection must find what the first one could not commit gone.
pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[[], Any]


@pytest.fixture(params=["providers", "channels", "social"])
def app(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def platform(app: str, server: PlatformServer, use_catalogue: UseCatalogue) -> Bank:
    made = {"providers": Bank, "channels": Chirp, "social": Gallery}[app](server)
    slug = SLUGS[app]
    use_catalogue(made.catalogue(slug, revocation=""), slug)
    made.open()
    return made


SLUGS = {"providers": "bank", "channels": "chirp", "social": "gallery"}
SUPPORT: dict[str, Any] = {"providers": banks, "channels": chirps, "social": galleries}
MODELS: dict[str, Any] = {
    "providers": Connection,
    "channels": ChannelConnection,
    "social": SocialAccount,
}


Fail = Callable[[int], None]


@contextmanager
def failing(model: Any) -> Iterator[Fail]:
    """Give what has the database refuse to store tokens in a table: `fail(times)`."""
    table = model._meta.db_table

    def fail(times: int) -> None:
        with connection.cursor() as cursor:
            for statement in statements(table, times):
                cursor.execute(statement)

    yield fail
    connection.close()
    with connection.cursor() as cursor:
        for event in ("insert", "update"):
            of_table = "" if connection.vendor == "sqlite" else f" ON {table}"
            cursor.execute(f"DROP TRIGGER IF EXISTS fails_at_{event}{of_table}")


@pytest.fixture
def fail(app: str) -> Iterator[Fail]:
    with failing(MODELS[app]) as fail:
        yield fail


@pytest.fixture
def fail_at_banks() -> Iterator[Fail]:
    with failing(Connection) as fail:
        yield fail


def statements(table: str, times: int) -> list[str]:
    """Make triggers that break the connection so many times; SQLite refuses for good."""
    if connection.vendor == "sqlite":
        return [
            f"CREATE TRIGGER fails_at_{event} BEFORE {event} ON {table} WHEN {new} "
            "BEGIN SELECT RAISE(ABORT, 'the disk fails'); END"
            for event, new in FRESH_TOKENS.items()
        ]
    # What a sequence has given out stays so when the transaction is rolled back.
    return [
        "CREATE SEQUENCE IF NOT EXISTS failures",
        "ALTER SEQUENCE failures RESTART",
        f"""CREATE OR REPLACE FUNCTION fail() RETURNS trigger AS $$ BEGIN
            IF nextval('failures') <= {times} THEN
                PERFORM pg_terminate_backend(pg_backend_pid());
            END IF;
            RETURN NEW; END $$ LANGUAGE plpgsql""",
        *(
            f"CREATE TRIGGER fails_at_{event} BEFORE {event} ON {table} FOR EACH ROW "
            f"WHEN ({new.replace('IS NOT OLD', 'IS DISTINCT FROM OLD')}) EXECUTE FUNCTION fail()"
            for event, new in FRESH_TOKENS.items()
        ),
    ]


FRESH_TOKENS = {
    "insert": "NEW.auth_state IS NOT NULL",
    "update": "NEW.auth_state IS NOT OLD.auth_state",
}


def counted(app: str, outcome: str) -> float:
    return float(UNSTORED_TOKENS.labels(SLUGS[app], outcome)._value.get())


def test_a_broken_connection_loses_nothing(
    app: str, platform: Bank, api: APIClient, fail: Fail
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("a file has no connection that breaks")
    state = SUPPORT[app].start(api)
    fail(1)
    assert SUPPORT[app].call_back(api, state).status_code == 201
    assert platform.revoked == []
    (row,) = MODELS[app].objects.all()
    assert row.auth_state is not None


def test_what_cannot_be_stored_is_revoked_at_once(
    app: str, platform: Bank, api: APIClient, fail: Fail
) -> None:
    api.raise_request_exception = False
    state, before = SUPPORT[app].start(api), counted(app, "revoked")
    fail(2)
    assert SUPPORT[app].call_back(api, state).status_code in {500, 503}
    assert platform.revoked == ["refresh-1", "access-1"]
    assert counted(app, "revoked") == before + 1
    connection.close()
    assert not MODELS[app].objects.filter(auth_state__isnull=False).exists()


def test_a_rotated_token_is_not_lost(app: str, platform: Bank, api: APIClient, fail: Fail) -> None:
    if app != "providers":
        pytest.skip("all apps refresh by the same function")
    row = banks.connect(api)
    api.raise_request_exception = False
    fail(2)
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code in {500, 503}
    assert platform.revoked == ["refresh-2", "access-2"]


@pytest.mark.parametrize("later", [None, "refresh-1"])
def test_an_access_token_beside_a_static_one_is_not_lost(
    api: APIClient, bank: Bank, fail_at_banks: Fail, later: str | None
) -> None:
    row = banks.connect(api)
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_token=later))
    api.raise_request_exception = False
    fail_at_banks(2)
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code in {500, 503}
    assert bank.revoked == ["access-2"]
    row.refresh_from_db()
    assert row.opened().refresh_token == "refresh-1"


@pytest.mark.parametrize("revocation", ['tokens = ["access_token"]', 'blast_radius = "grant"'])
def test_one_whose_end_ends_the_static_one_is_left(
    api: APIClient,
    bank: Bank,
    fail_at_banks: Fail,
    use_catalogue: UseCatalogue,
    revocation: str,
) -> None:
    use_catalogue(bank.catalogue(revocation=revocation), "bank")
    row = banks.connect(api)
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_token="refresh-1"))
    api.raise_request_exception = False
    fail_at_banks(2)
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code in {500, 503}
    assert bank.revoked == []


def test_a_static_token_of_a_living_connection_is_spared(
    app: str, platform: Bank, api: APIClient, fail: Fail, use_catalogue: UseCatalogue
) -> None:
    if isinstance(platform, Gallery):
        # Where accounts have tokens of their own, those of the grant are nobody's.
        use_catalogue(platform.catalogue(token="", revocation=""), "gallery")
    SUPPORT[app].connect(api)
    platform.server.on("POST", "/token", lambda _: platform.tokens(refresh_token="refresh-1"))
    api.raise_request_exception = False
    state = SUPPORT[app].start(api)
    fail(2)
    assert SUPPORT[app].call_back(api, state).status_code in {500, 503}
    assert platform.revoked == ["access-2"]


def test_a_static_token_of_somebody_else_is_spared(
    api: APIClient,
    outsider: User,
    sign_in: SignIn,
    bank: Bank,
    fail_at_banks: Fail,
) -> None:
    banks.connect(sign_in(outsider))
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_token="refresh-1"))
    api.raise_request_exception = False
    state = banks.start(api)
    fail_at_banks(2)
    assert banks.call_back(api, state).status_code in {500, 503}
    assert bank.revoked == ["access-2"]


def test_a_failed_identity_spares_a_static_token_too(
    api: APIClient, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    banks.connect(api)
    bank.server.on("POST", "/token", lambda _: bank.tokens(refresh_token="refresh-1"))
    bank.server.on("GET", "/me", Answer(500))
    api.raise_request_exception = False
    state = banks.start(api)
    monkeypatch.setattr(callback, "_record_failure", lambda *_: refuse())
    assert banks.call_back(api, state).status_code in {500, 503}
    assert bank.revoked == ["access-2"]


def test_nobody_asks_who_lives_on_a_static_token_where_the_database_is_away(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalogue(bank.catalogue(more='refresh = "static"'), "bank")
    row = banks.connect(api)
    monkeypatch.setattr(in_use, "_lookups", [lambda _: refuse()])
    with pytest.raises(DatabaseError):
        try_to_store(refuse, row, TokenSet("access-2", "refresh-1"))
    assert bank.revoked == ["access-2"]


@pytest.mark.parametrize(
    ("refresh", "revoked"), [("rotating", ["refresh-1", "access-1"]), ("static", ["access-1"])]
)
def test_what_one_that_no_key_reads_may_have_is_left(
    bank: Bank,
    use_catalogue: UseCatalogue,
    owner: User,
    outsider: User,
    refresh: str,
    revoked: list[str],
) -> None:
    """It may have a token that never changes, but no fresh one of those that do."""
    use_catalogue(bank.catalogue(more=f'refresh = "{refresh}"'), "bank")
    row, other = connection_of(owner), connection_of(outsider)
    # Sealed for another row.
    Connection.objects.filter(pk=other.pk).update(auth_state=row.auth_state)
    with pytest.raises(DatabaseError):
        try_to_store(refuse, row, TokenSet("access-1", "refresh-1"))
    assert bank.revoked == revoked


def test_a_grant_that_others_may_share_is_left(
    use_catalogue: UseCatalogue,
    server: PlatformServer,
    owner: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bank = Bank(server)
    use_catalogue(bank.catalogue(revocation='blast_radius = "grant"'), "bank")
    with pytest.raises(DatabaseError):
        try_to_store(refuse, connection_of(owner), TokenSet("access-1", "refresh-1"))
    assert server.requests == []
    assert "access-1" not in caplog.text


def test_what_a_driver_can_not_send_is_revoked_too(bank: Bank, owner: User) -> None:
    row = connection_of(owner)
    with pytest.raises(UnicodeEncodeError):
        try_to_store(lambda: "\ud800".encode(), row, TokenSet("access-1", "refresh-1"))
    assert bank.revoked == ["refresh-1", "access-1"]


def refuse() -> Any:
    raise DatabaseError


def try_to_store(store: Callable[[], object], row: Connection, tokens: TokenSet) -> None:
    found = upstream("bank")
    assert found is not None
    unstored.store_or_revoke(store, upstream=found, row=row, grant=row.grant, tokens=[tokens])


def lose_the_first_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the first commit come through, and its confirmation be lost."""
    once, wrapped = iter([True]), unstored.store_or_revoke

    def unheard(store: Callable[[], Any], **more: Any) -> Any:
        def lost() -> Any:
            found = store()
            if next(once, False):
                raise InterfaceError
            return found

        return wrapped(lost, **more)

    monkeypatch.setattr(callback, "store_or_revoke", unheard)


def test_a_commit_that_was_not_heard_of_is_kept(
    app: str, platform: Bank, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = SUPPORT[app].start(api)
    lose_the_first_confirmation(monkeypatch)
    # A channel's second try finds the account connected, by what it had stored itself.
    assert SUPPORT[app].call_back(api, state).status_code in {201, 409}
    assert platform.revoked == []
    (row,) = MODELS[app].objects.all()
    assert row.auth_state is not None


@pytest.mark.parametrize("app", ["providers"], indirect=True)
def test_a_commit_that_was_not_heard_of_is_kept_by_a_known_account(
    platform: Bank, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row of the flow is gone with the first commit, for that of the account."""
    known = banks.connect(api)
    state = banks.start(api)
    lose_the_first_confirmation(monkeypatch)
    answer = banks.call_back(api, state)
    assert (answer.status_code, answer.json().get("id")) == (201, str(known.pk))
    # Those of before, which the fresh ones replace.
    assert platform.revoked == ["refresh-1", "access-1"]
    assert Connection.objects.get().opened().refresh_token == "refresh-2"
