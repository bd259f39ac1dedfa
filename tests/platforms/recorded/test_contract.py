"""Each recorded platform is connected, read, refreshed, refused and revoked by the real service.

What a recording leaves out has no test here; docs/platforms.md says so too.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from rest_framework.test import APIClient

from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import catalog
from connections_project.revocation.models import RevocationJob
from providers.models import Account, Connection, Transaction
from tests.platforms.recorded import alpaca, coinbase, monzo, schwab, tradestation
from tests.platforms.recorded.overlays import SHIPPED, moved_table
from tests.platforms.recorded.recording import Recording
from tests.support.bank import REDIRECT_URI, connect
from tests.support.platform_server import Answer, PlatformServer, Request
from tests.support.provider_syncing import sync

pytestmark = pytest.mark.django_db(transaction=True)

RECORDINGS = {
    one.RECORDING.slug: one.RECORDING for one in (schwab, coinbase, monzo, tradestation, alpaca)
}
PASSING = {
    "429": Answer(429, json={"error": "rate_limited"}),
    "503": Answer(503),
    "502 page": Answer(502, body=b"<html>Bad gateway</html>"),
    "200 page": Answer(200, body=b"<html>Maintenance</html>"),
    "500": Answer(500, json={"error": "invalid_grant"}),
}


@dataclass
class Stage:
    """A recorded platform on loopback, to which the service may connect."""

    recording: Recording
    server: PlatformServer
    issued: int = 0

    @property
    def token_path(self) -> str:
        return urlsplit(SHIPPED[self.recording.slug].token_endpoint).path

    @property
    def api_requests(self) -> list[Request]:
        return [one for one in self.server.requests if one.method == "GET"]

    def tokens(self, _: Request) -> Answer:
        self.issued += 1
        told = json.dumps(dict(self.recording.tokens)).replace("-N", f"-{self.issued}")
        return Answer(json=json.loads(told))

    def open(self) -> None:
        self.server.on("POST", self.token_path, self.tokens)
        for (method, path), told in self.recording.routes.items():
            self.server.on(method, path, told)

    def refuse_reads(self, answer: Answer) -> None:
        for method, path in self.recording.routes:
            if method == "GET":
                self.server.on(method, path, answer)


@pytest.fixture(params=RECORDINGS)
def stage(
    request: pytest.FixtureRequest,
    server: PlatformServer,
    settings: LazySettings,
    tmp_path: Path,
    unlimited: None,
) -> Stage:
    recording = RECORDINGS[request.param]
    path = tmp_path / "overlay.toml"
    path.write_text(moved_table(SHIPPED[recording.slug], server.url), encoding="utf-8")
    settings.CATALOG_FILES = (path,)
    client = asdict(ClientRegistration("our client", "s3cret/+&=%", (REDIRECT_URI,)))
    settings.OAUTH_CLIENTS = {one.slug: client for one in catalog().all()}
    made = Stage(recording, server)
    made.open()
    return made


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)


@pytest.fixture(autouse=True)
def _that_day() -> Iterator[None]:
    """Have it be a day shortly after what is recorded."""
    with time_machine.travel("2026-11-28T12:00:00Z"):
        yield


@pytest.fixture
def row(api: APIClient, stage: Stage) -> Connection:
    return connect(api, stage.recording.slug)


def refresh(api: APIClient, row: Connection) -> int:
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    status: int = api.post(path, {"force": True}, format="json").status_code
    return status


def status_of(row: Connection) -> str:
    row.refresh_from_db()
    return row.status


def test_it_is_known_whose_it_is(stage: Stage, row: Connection) -> None:
    told = (row.platform_account_id, row.platform_account_name)
    assert told == (stage.recording.account_id, stage.recording.account_name)


def test_connecting_again_is_the_same_connection(
    api: APIClient, stage: Stage, row: Connection
) -> None:
    assert connect(api, stage.recording.slug).pk == row.pk


def test_all_accounts_are_read(api: APIClient, stage: Stage, row: Connection) -> None:
    told = sync(api, row.pk).json()
    assert (told["created"], told["errors"]) == (len(stage.recording.accounts), 0)
    accounts = [
        (one.name, one.type, one.currency, None if one.balance is None else plain(one.balance))
        for one in Account.objects.order_by("pk")
    ]
    assert sorted(accounts) == sorted(stage.recording.accounts)


def test_all_transactions_are_read(api: APIClient, stage: Stage, row: Connection) -> None:
    sync(api, row.pk)
    read = [
        (one.posted_at.isoformat(), plain(one.amount), one.currency, one.description)
        for one in Transaction.objects.order_by("posted_at")
    ]
    assert read == list(stage.recording.transactions)


def plain(amount: Any) -> str:
    text = str(amount.normalize())
    return f"{amount:f}".rstrip("0").rstrip(".") if "E+" in text else text


def test_lists_are_read_to_their_end(api: APIClient, stage: Stage, row: Connection) -> None:
    sync(api, row.pk)
    path, count = stage.recording.pages or ("", 0)
    assert len(stage.server.requests_to(path)) == count


def test_the_api_is_asked_as_it_wants(api: APIClient, stage: Stage, row: Connection) -> None:
    sync(api, row.pk)
    for request in stage.api_requests:
        assert request.headers["Authorization"] == "Bearer access-1"
        headers = stage.recording.api_headers
        assert {name: request.headers[name] for name in headers} == headers


def test_no_second_sync_changes_what_is_known(
    api: APIClient, stage: Stage, row: Connection
) -> None:
    sync(api, row.pk)
    told = sync(api, row.pk, force=True).json()
    assert (told["created"], told["updated"]) == (0, 0)
    assert Transaction.objects.count() == len(stage.recording.transactions)


def test_a_code_is_exchanged_as_it_wants(stage: Stage, row: Connection) -> None:
    (request,) = stage.server.requests_to(stage.token_path)
    platform = SHIPPED[stage.recording.slug]
    assert request.form["code"] == "the-code"
    assert ("code_verifier" in request.form) is (platform.code_challenge_method == "S256")
    assert authenticates_as(request, platform)


def authenticates_as(request: Request, platform: Any) -> bool:
    form = request.form
    if platform.token_endpoint_auth_method == "client_secret_basic":
        return request.headers["Authorization"].startswith("Basic ")
    return (form["client_id"], form["client_secret"]) == ("our client", "s3cret/+&=%")


def test_it_is_refreshed(api: APIClient, stage: Stage, row: Connection) -> None:
    if SHIPPED[stage.recording.slug].refresh == "none":
        assert refresh(api, row) == 403
        return
    assert refresh(api, row) == 201
    request = stage.server.requests_to(stage.token_path)[-1]
    assert request.form["refresh_token"] == "refresh-1"
    assert authenticates_as(request, SHIPPED[stage.recording.slug])


def test_a_dead_grant_ends_it(api: APIClient, stage: Stage, row: Connection) -> None:
    for answer, becomes in stage.recording.dead:
        Connection.objects.update(status="active")
        stage.server.on("POST", stage.token_path, answer)
        assert refresh(api, row) == 502
        assert status_of(row) == becomes


def test_a_dead_token_ends_it(api: APIClient, stage: Stage, row: Connection) -> None:
    for answer, becomes in stage.recording.dead_token:
        Connection.objects.update(status="active")
        stage.refuse_reads(answer)
        assert sync(api, row.pk, force=True).status_code == 502
        assert status_of(row) == becomes


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_fault_ends_nothing(
    api: APIClient, stage: Stage, row: Connection, fault: Answer
) -> None:
    stage.refuse_reads(fault)
    assert sync(api, row.pk).status_code == 502
    stage.server.on("POST", stage.token_path, fault)
    assert refresh(api, row) in {502, 403}
    assert status_of(row) == "active"
    assert not Account.objects.exists()


def test_it_is_disconnected_and_revoked(api: APIClient, stage: Stage, row: Connection) -> None:
    revocation = SHIPPED[stage.recording.slug].revocation
    assert api.delete(f"/api/v1/providers/{row.pk}").status_code == 204
    assert status_of(row) == "disconnected"
    if revocation is None or revocation.blast_radius == "client":
        assert not RevocationJob.objects.filter(state="revoked").exists()
        return
    assert RevocationJob.objects.get().state == "revoked"
    (request,) = stage.server.requests_to(urlsplit(revocation.endpoint).path)
    assert request.headers["Authorization"] == "Bearer access-1"
