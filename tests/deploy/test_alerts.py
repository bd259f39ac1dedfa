"""Every alert rule fires when its condition is caused, alone, and is quiet otherwise."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
import yaml
from django.conf import LazySettings
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from audit.checkpoints import publish
from audit.events import Action, ActorType, Interface
from audit.record import Origin, record
from connections_project.api import rate_limits
from connections_project.core.jobs.circuit import FAILURES_TO_OPEN
from connections_project.core.vault import Sealed
from connections_project.events import audience
from connections_project.events.models import Delivery
from connections_project.events.worker import deliver
from connections_project.identity.models import User
from connections_project.metrics.tables import refresh
from connections_project.revocation.circuits import note_failure, note_post_failure
from connections_project.revocation.models import RevocationJob
from tests.conftest import UseCatalogue
from tests.metrics.conftest import Scrape, scrape
from tests.support.absent_redis import NO_REDIS
from tests.support.audit_tampering import cut_off, sealed
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.chirp import Chirp
from tests.support.event_receiver import receiver_at
from tests.support.platform_server import Answer, PlatformServer
from tests.support.prometheus import RULES, Scraped, assert_firing
from tests.support.provider_rows import connection_of

__all__ = ["scrape"]
pytestmark = pytest.mark.django_db

UP = ("up", frozenset[tuple[str, str]]())
SYSTEM = Origin(ActorType.SYSTEM, None, Interface.WORKER)
Fires = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def fires(scrape: Scrape, tmp_path: Path) -> Fires:
    """Have exactly some alerts fire from what is done within."""

    @contextmanager
    def fires(*names: str, goes_on: bool = False, counts: bool = True) -> Iterator[None]:
        refresh(older_than=timedelta(0))
        before: Scraped = {UP: 1, **scrape()}
        yield
        if counts:
            refresh(older_than=timedelta(0))
        assert_firing(before, {UP: 1, **scrape()}, names, goes_on=goes_on, folder=tmp_path)

    return fires


def job(
    user: User,
    *,
    state: str = "pending",
    age: timedelta = timedelta(0),
    verification: str = "",
) -> None:
    made_at = timezone.now() - age
    is_pending = state == "pending"
    RevocationJob.objects.create(
        app="providers",
        platform="bank",
        connection_id=user.pk,
        owner_id=user.pk,
        sealed_tokens=Sealed("sealed") if is_pending else None,
        state=state,
        verification=verification,
        created_at=made_at,
        due_at=made_at,
        finished_at=None if is_pending else timezone.now(),
    )


def test_nothing_fires_on_an_ordinary_day(
    api: APIClient, owner: User, bank: Bank, fires: Fires
) -> None:
    row = connection_of(owner)
    with fires(goes_on=True):
        job(owner, age=timedelta(minutes=50))
        api.post(f"/api/v1/providers/{row.pk}/token-refreshes", {"force": True}, format="json")
        api.get("/api/v1/providers")
        api.get("/api/v1/providers/unknown")


def test_a_host_that_answers_no_scrape(scrape: Scrape, tmp_path: Path) -> None:
    assert_firing({UP: 1}, {UP: 0}, ["ConnectionsDown"], goes_on=False, folder=tmp_path)


def test_background_work_that_nobody_does(fires: Fires) -> None:
    with (
        time_machine.travel(timezone.now()) as clock,
        fires("ConnectionsBackgroundIdle", counts=False),
    ):
        # A scrape counts the tables by itself, and must not be taken for a worker.
        clock.shift(400)


def test_revocations_that_wait(owner: User, fires: Fires) -> None:
    with fires("ConnectionsRevocationsWait"):
        job(owner, age=timedelta(hours=2))


def test_revocations_that_are_given_up(owner: User, fires: Fires) -> None:
    with fires("ConnectionsRevocationsAbandoned"):
        job(owner, state="abandoned")


def test_tokens_that_outlive_their_revocation(owner: User, fires: Fires) -> None:
    with fires("ConnectionsTokensLiveOn"):
        job(owner, verification="still_alive")


def test_a_platform_that_refuses_our_client(
    api: APIClient, owner: User, bank: Bank, fires: Fires
) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/token", Answer(401, json={"error": "invalid_client"}))
    with fires("ConnectionsClientRefused"):
        api.post(f"/api/v1/providers/{row.pk}/token-refreshes", {"force": True}, format="json")


def test_a_platform_that_fails(api: APIClient, owner: User, bank: Bank, fires: Fires) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/token", Answer(503))
    with fires("ConnectionsPlatformFails", "ConnectionsServerErrors", goes_on=True):
        api.post(f"/api/v1/providers/{row.pk}/token-refreshes", {"force": True}, format="json")


def test_a_time_stamping_authority_that_fails(
    server: PlatformServer, settings: LazySettings, fires: Fires, tmp_path: Path
) -> None:
    settings.AUDIT_HEADS_FILE = tmp_path / "heads.jsonl"
    settings.AUDIT_TIMESTAMP_URL = f"{server.url}/tsa"
    server.on("POST", "/tsa", Answer(503))
    with fires("ConnectionsPlatformFails", goes_on=True):
        sealed(1)


@pytest.mark.parametrize("note", [note_failure, note_post_failure])
def test_a_circuit_that_stays_open(fires: Fires, note: Callable[[str], None]) -> None:
    with fires("ConnectionsCircuitOpen", goes_on=True):
        for _ in range(FAILURES_TO_OPEN):
            note("bank")


def test_events_that_are_not_taken(
    api: APIClient, owner: User, bank: Bank, fires: Fires, host: PlatformServer
) -> None:
    receiver = receiver_at(host)
    host.on("POST", receiver.path, Answer(503))
    with fires("ConnectionsEventsNotTaken"):
        api.delete(f"/api/v1/providers/{connection_of(owner).pk}")
        Delivery.objects.update(begun_at=timezone.now() - timedelta(minutes=20))


@pytest.mark.django_db(transaction=True)
def test_events_that_are_given_up(
    api: APIClient,
    owner: User,
    bank: Bank,
    fires: Fires,
    host: PlatformServer,
    settings: LazySettings,
) -> None:
    settings.EVENT_GIVE_UP_SECONDS, settings.EVENT_RETRY_SECONDS = 0, (0,)
    receiver = receiver_at(host, types="connection.disconnected")
    host.on("POST", receiver.path, Answer(503))
    with fires("ConnectionsEventsGivenUp"):
        api.delete(f"/api/v1/providers/{connection_of(owner).pk}")
        list(deliver())
    assert [one.state for one in Delivery.objects.all()] == ["given_up"]


def test_a_log_that_is_not_sealed(fires: Fires) -> None:
    earlier = time_machine.travel(timezone.now() - timedelta(minutes=6))
    with fires("ConnectionsAuditUnsealed"), earlier, transaction.atomic():
        record(
            Action.PROVIDER_CONNECTED,
            origin=SYSTEM,
            subject_type="x",
            subject_id=None,
            subject_owner_id=None,
        )


def test_checkpoints_that_can_not_be_written(
    fires: Fires, settings: LazySettings, tmp_path: Path
) -> None:
    settings.AUDIT_HEADS_FILE = tmp_path
    with fires("ConnectionsAuditCheckpoints"):
        sealed(1)


def test_a_log_that_has_lost_what_its_checkpoints_know(
    fires: Fires, settings: LazySettings, tmp_path: Path
) -> None:
    settings.AUDIT_HEADS_FILE = tmp_path / "heads.jsonl"
    sealed(1)
    sealed(1)
    with fires("ConnectionsAuditCheckpoints"):
        cut_off(from_seal=2)
        publish()


def test_a_log_that_was_begun_anew(fires: Fires, settings: LazySettings, tmp_path: Path) -> None:
    settings.AUDIT_HEADS_FILE = tmp_path / "heads.jsonl"
    sealed(2)
    with fires("ConnectionsAuditCheckpoints"):
        cut_off(from_seal=1)
        sealed(1)


def test_a_post_that_nobody_begins(
    owner: User, server: PlatformServer, use_catalogue: UseCatalogue, fires: Fires
) -> None:
    use_catalogue(Chirp(server).catalogue(), "chirp")
    with fires("ConnectionsSchedulesOverdue"):
        schedule_of(channel_of(owner), run_at=timezone.now() - timedelta(minutes=6))


def test_requests_without_a_limit(api: APIClient, settings: LazySettings, fires: Fires) -> None:
    with fires("ConnectionsUnlimited", goes_on=True):
        settings.REDIS_URL = NO_REDIS["LOCATION"]
        api.get("/api/v1/providers")
    rate_limits.redis_buckets.cache_clear()


def test_passwords_that_are_guessed(anonymous: APIClient, owner: User, fires: Fires) -> None:
    body = {"email": owner.email, "password": "wrong"}
    with fires("ConnectionsPasswordsGuessed"):
        for _ in range(27):
            anonymous.post("/api/v1/auth/login", body, format="json")


def test_each_rule_has_its_test() -> None:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    caused = re.findall(r'"(Connections[A-Za-z]+)"', Path(__file__).read_text(encoding="utf-8"))
    assert {rule["alert"] for rule in group["rules"]} == set(caused)


@pytest.fixture
def host(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
    """A host application's address, which this one process looks for each time."""
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 0.0)
    with PlatformServer() as running:
        yield running
