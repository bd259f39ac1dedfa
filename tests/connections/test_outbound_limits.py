"""A platform that hangs takes up its share of the threads, and is then refused at once."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.api import throttling
from connections_project.core.jobs.circuit import FAILURES_TO_OPEN
from connections_project.core.request_slots import RequestSlot
from connections_project.identity.models import User
from connections_project.revocation.models import CallCircuit, RevocationJob
from providers.models import Connection
from social.models import Publication
from tests.conftest import SignIn, UseCatalogue
from tests.support import bank as banks
from tests.support.bank import Bank
from tests.support.callback_browser import heading, same_browser, visit
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.deployment import wait_until
from tests.support.gallery import Gallery
from tests.support.hanging import Hanging, hanging
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import connection_of
from tests.support.social_publishing import MORE, publish
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db(transaction=True)

Client = Callable[[], APIClient]


@pytest.fixture(autouse=True)
def one_for_each_two_in_all(settings: LazySettings) -> None:
    settings.WEB_THREADS, settings.OUTBOUND_SHARE = 16, 0.125


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "consume", lambda *_: None)


@pytest.fixture
def client(owner: User, sign_in: SignIn) -> Client:
    """Return a client of the owner's for each thread."""
    return lambda: sign_in(owner)


@pytest.fixture
def busy(bank: Bank, owner: User, client: Client) -> Iterator[Hanging]:
    """The bank hangs, and a refresh waits for it."""
    row = connection_of(owner, account_id="first")
    with hanging(bank.server, "POST", "/token", bank.tokens()) as one:
        waiting = one.occupy(partial(refresh, client(), row))
        yield one
        one.released.set()
        assert waiting.result(10).status_code == 201
    assert not RequestSlot.slots._taken


def refresh(api: APIClient, row: Connection) -> Any:
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    return api.post(path, {"force": True}, format="json")


def refused(call: Callable[[], Any]) -> Any:
    """Make a call that is refused at once with a time to come again."""
    began = time.monotonic()
    answer = call()
    assert time.monotonic() - began < 3
    assert answer.status_code == 503, answer.content
    assert int(answer.headers["Retry-After"]) >= 1
    return answer


def test_a_refresh_too_many_is_refused(busy: Hanging, api: APIClient, owner: User) -> None:
    answer = refused(partial(refresh, api, connection_of(owner, account_id="second")))
    assert answer.json()["type"].endswith("/provider_unavailable")
    # Nothing was tried, so nothing has failed.
    assert not AuditEvent.objects.filter(action="provider_token_refresh_failed").exists()


def test_whoever_shares_a_refresh_counts(busy: Hanging, api: APIClient) -> None:
    refused(partial(refresh, api, Connection.objects.get()))


def test_what_calls_nobody_goes_on(busy: Hanging, api: APIClient) -> None:
    row = Connection.objects.get()
    assert api.get("/api/v1/providers").status_code == 200
    still_valid = api.post(f"/api/v1/providers/{row.pk}/token-refreshes", {}, format="json")
    assert still_valid.status_code == 201
    assert banks.start(api)


def test_a_sync_too_many_is_refused(busy: Hanging, api: APIClient) -> None:
    body = {"connection_id": str(Connection.objects.get().pk)}
    refused(partial(api.post, "/api/v1/accounts/syncs", body, format="json"))


def test_a_refused_callback_keeps_its_state(busy: Hanging, api: APIClient) -> None:
    state = banks.start(api)
    refused(partial(banks.call_back, api, state))
    busy.released.set()
    time.sleep(0.5)
    assert banks.call_back(api, state).status_code == 201


def test_a_declined_callback_needs_no_thread(busy: Hanging, api: APIClient) -> None:
    answer = api.post(
        "/api/v1/providers/callback",
        query_params={"state": banks.start(api), "error": "access_denied"},
    )
    assert answer.status_code == 400


def test_the_page_asks_to_be_loaded_again(busy: Hanging, api: APIClient) -> None:
    state, browser = banks.start(api), same_browser(api)
    page = refused(partial(visit, browser, state))
    assert heading(page) == "This platform does not answer in time"
    busy.released.set()
    time.sleep(0.5)
    assert visit(browser, state).status_code == 200


def test_a_disconnect_waits_for_no_thread(busy: Hanging, api: APIClient, owner: User) -> None:
    row = connection_of(owner, account_id="second")
    began = time.monotonic()
    assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    assert time.monotonic() - began < 3
    # It was not tried, and is due for whoever comes next.
    job = RevocationJob.objects.get()
    assert (job.state, job.attempts, job.leased_until) == ("pending", 0, None)
    assert job.due_at <= timezone.now()


def test_channels_are_refused_in_their_format(
    owner: User, api: APIClient, client: Client, server: PlatformServer, use_catalogue: UseCatalogue
) -> None:
    chirp = Chirp(server)
    use_catalogue(chirp.catalogue(), "chirp")
    row = channel_of(owner)
    path = f"/api/v1/channels/connections/{row.pk}/refresh"
    with hanging(server, "POST", "/token", chirp.tokens()) as one:
        one.occupy(partial(client().post, path, {"force": True}, format="json"))
        answer = refused(partial(api.post, path, {"force": True}, format="json"))
    assert answer.json()["errors"][0]["error_code"] == "CHANNEL_UNAVAILABLE"


def test_posts_are_refused_and_their_keys_free(
    owner: User, api: APIClient, client: Client, server: PlatformServer, use_catalogue: UseCatalogue
) -> None:
    gallery = Gallery(server)
    use_catalogue(gallery.catalogue(more=MORE), "gallery")
    row = account_of(owner.own_team)
    answered = Answer(json={"id": "post-1"})
    with hanging(server, "POST", "/7/posts", answered) as one:
        one.occupy(partial(publish, client(), row))
        answer = refused(partial(publish, api, row, "a-key"))
        assert answer.json()["error"] == "Platform unavailable"
        assert not Publication.objects.exists()


def test_another_platform_still_has_a_thread(
    owner: User, api: APIClient, client: Client, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    other = bank.catalogue("other").replace("/token", "/other-token")
    third = bank.catalogue("third").replace("/token", "/third-token")
    use_catalogue(bank.catalogue() + other + third, "bank", "other", "third")
    rows = [connection_of(owner, slug=slug) for slug in ("bank", "other", "third")]
    with (
        hanging(bank.server, "POST", "/token", bank.tokens()) as one,
        hanging(bank.server, "POST", "/other-token", bank.tokens()) as two,
    ):
        one.occupy(partial(refresh, client(), rows[0]))
        two.occupy(partial(refresh, client(), rows[1]))
        # Now all that may wait do, whichever platform it is for.
        refused(partial(refresh, api, rows[2]))


def test_a_dead_platform_fails_fast(bank: Bank, owner: User, api: APIClient) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/token", Answer(reset=True))
    tries = [refresh(api, row).status_code for _ in range(FAILURES_TO_OPEN)]
    assert tries == [502] * FAILURES_TO_OPEN
    refused(partial(refresh, api, row))
    assert len(bank.token_requests("refresh_token")) == FAILURES_TO_OPEN


@pytest.mark.parametrize(("minutes", "status"), [(1, 503), (60, 503), (20 * 60, 201)])
def test_a_wait_longer_than_any_was_set_by_a_wrong_clock(
    bank: Bank, owner: User, api: APIClient, minutes: int, status: int
) -> None:
    until = timezone.now() + timedelta(minutes=minutes)
    CallCircuit.objects.create(platform="bank", faults=1, blocked_until=until)
    assert refresh(api, connection_of(owner)).status_code == status


def test_one_probe_finds_it_up_again(
    bank: Bank, owner: User, api: APIClient, client: Client, settings: LazySettings
) -> None:
    settings.OUTBOUND_SHARE = 1
    rows = [connection_of(owner, account_id=account) for account in "ab"]
    ago = timezone.now() - timedelta(seconds=1)
    CallCircuit.objects.create(platform="bank", faults=FAILURES_TO_OPEN, blocked_until=ago)
    with hanging(bank.server, "POST", "/token", bank.tokens()) as one:
        probe = one.occupy(partial(refresh, client(), rows[0]))
        refused(partial(refresh, api, rows[1]))
        one.released.set()
        assert probe.result(10).status_code == 201
        assert refresh(api, rows[1]).status_code == 201
    assert CallCircuit.objects.get().faults == 0


@pytest.mark.parametrize("answer", [Answer(500), Answer(429), Answer(200, body=b"nonsense")])
def test_what_may_be_about_one_user_is_no_fault(
    bank: Bank, owner: User, api: APIClient, answer: Answer
) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/token", answer)
    assert refresh(api, row).status_code == 502
    assert not CallCircuit.objects.exists()


def test_revocations_fail_for_themselves(bank: Bank, owner: User, api: APIClient) -> None:
    rows = [connection_of(owner, account_id=str(number)) for number in range(FAILURES_TO_OPEN + 2)]
    bank.server.on("POST", "/revoke", Answer(reset=True))
    for row in rows[:-1]:
        assert api.delete(f"/api/v1/auth/{row.pk}/disconnect").status_code == 200
    # The one too many was left for later.
    assert len(bank.revoked) == FAILURES_TO_OPEN
    assert refresh(api, rows[-1]).status_code == 201


@pytest.fixture
def in_use_before(db: None) -> int:
    """Those of threads that have ended without giving theirs back, in tests of before."""
    return database_connections_in_use() if connection.vendor == "postgresql" else 0


def database_connections_in_use() -> int:
    database: Any = connection
    database.close()
    stats = database.pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])


def test_no_database_connection_is_held_meanwhile(in_use_before: int, busy: Hanging) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("a file has no pool")
    # Those that the pool is still opening count as its own, and aren't available yet.
    wait_until(lambda: database_connections_in_use() <= in_use_before)
