"""Every operation in turn, each answer checked against the document."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.utils import timezone

from channels.models import ChannelConnection
from connections_project.api import rate_limits
from connections_project.identity.models import User
from tests.conftest import PASSWORD, UseCatalogue
from tests.openapi.conftest import Reading
from tests.support import chirp as channels
from tests.support import gallery as social
from tests.support.bank import ACCOUNT, Bank, call_back, start
from tests.support.chirp import Chirp
from tests.support.gallery import SOCIAL, Gallery
from tests.support.openapi_client import ReadingClient
from tests.support.openapi_document import operations
from tests.support.platform_server import Answer

HELP = '<https://bank.example.com/apps>; rel="help"'


def sign_in(client: ReadingClient) -> dict[str, Any]:
    """Sign in and stay so, and give the youngest tokens."""
    credentials = {"email": "owner@example.com", "password": PASSWORD}
    tokens = client.post("/api/v1/auth/login", credentials, format="json").json()
    tokens = client.post("/api/v1/auth/refresh", only_refresh(tokens), format="json").json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    return dict(tokens)


def only_refresh(tokens: dict[str, Any]) -> dict[str, str]:
    return {"refresh_token": tokens["refresh_token"]}


def use(client: ReadingClient, connection: str) -> None:
    """Do all that can be done with a connection, before it is over and after."""
    client.get("/api/v1/providers?active_only=yes")
    client.get(f"/api/v1/providers/{connection}")
    client.patch(f"/api/v1/providers/{connection}", {"alias": "Mine"}, format="json")
    client.patch(f"/api/v1/providers/{connection}", {"alias": None}, format="json")
    for force in (False, True):
        refresh = f"/api/v1/providers/{connection}/token-refreshes"
        assert client.post(refresh, {"force": force}, format="json").status_code == 201
        body = {"connection_id": connection, "force": force}
        client.post("/api/v1/accounts/syncs", body, format="json")
    (account,) = client.get(f"/api/v1/accounts?connection_id={connection}").json()["data"]
    transactions = client.get(f"/api/v1/accounts/{account['id']}/transactions?limit=1")
    assert len(transactions.json()["data"]) == 1


def end(client: ReadingClient, connection: str) -> None:
    for _ in range(2):
        client.delete(f"/api/v1/auth/{connection}/disconnect")
    client.get(f"/api/v1/providers/{connection}")
    client.delete(f"/api/v1/providers/{connection}")


def schedule(client: ReadingClient, connection: str) -> str:
    body = {
        "channel_connection_id": connection,
        "content": "Hello",
        "image_url": "https://example.com/door.jpg",
        "run_at": f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    made = client.post("/api/v1/schedules", body, format="json")
    assert made.status_code == 201
    return str(made.json()["id"])


def use_channel(client: ReadingClient, connection: str) -> None:
    """Do all that can be done with a channel before it is over."""
    of_channel = f"/api/v1/channels/connections/{connection}"
    client.get("/api/v1/channels/connections?status=connected&channel=chirp")
    client.get(of_channel)
    assert client.post(f"{of_channel}/refresh", {"force": True}, format="json").status_code == 200
    first, second = schedule(client, connection), schedule(client, connection)
    client.get(f"/api/v1/schedules?channel_connection_id={connection}&status=pending")
    client.get(f"/api/v1/schedules/{first}")
    assert client.delete(of_channel).status_code == 400
    client.post(f"/api/v1/schedules/{first}/cancel")
    several, all_of = (
        client.post("/api/v1/schedules/bulk-cancel", body, format="json").json()
        for body in (
            {"schedule_ids": [first, second, connection]},
            {"channel_connection_id": connection},
        )
    )
    assert (several["cancelled"], several["failed"], all_of["cancelled"]) == (1, 2, 0)


def end_channel(client: ReadingClient, connection: str) -> None:
    of_channel = f"/api/v1/channels/connections/{connection}"
    row = ChannelConnection.objects.get(pk=connection)
    now = timezone.now()
    row.publish_events.create(outcome="published", platform_post_id="7", occurred_at=now)
    row.publish_events.create(outcome="failed", error_code="outcome_unknown", occurred_at=now)
    for _ in range(2):
        client.delete(f"{of_channel}?cancel_schedules=true")
    assert len(client.get(f"{of_channel}/publish-events?limit=100").json()["data"]) == 2
    client.delete(f"{of_channel}?soft_delete=true")


def use_account(client: ReadingClient, account: str) -> None:
    """Do all that can be done with a social account, before it is over and after."""
    client.get(f"{SOCIAL}/accounts?active=true")
    post = {"accountId": account, "caption": "Hello", "imageUrl": "https://example.com/a.jpg"}
    for _ in range(2):
        published = client.post(
            f"{SOCIAL}/publish", post, format="json", headers={"Idempotency-Key": "first"}
        )
        assert published.json()["postId"] == "71"
    client.post(f"{SOCIAL}/disconnect", {"accountId": account}, format="json")
    assert client.delete(f"{SOCIAL}/disconnect/{account}").status_code == 400
    assert client.post(f"{SOCIAL}/publish", post, format="json").status_code == 403
    client.get(f"{SOCIAL}/accounts")


@pytest.fixture
def other_platforms(bank: Bank, use_catalogue: UseCatalogue) -> None:
    """A channel and a social platform beside the bank, at the same server."""
    chirp = Chirp(bank.server, numbers=bank.numbers)
    gallery = Gallery(bank.server, numbers=bank.numbers, accounts=["7", "8"])
    more = 'adapter = "tests.support.gallery_adapter"'
    catalogue = bank.catalogue() + chirp.catalogue() + gallery.catalogue(more=more)
    use_catalogue(catalogue, "bank", "chirp", "gallery")
    gallery.open()
    bank.server.on("POST", "/7/posts", Answer(json={"id": 71}))


@pytest.fixture
def feed_reader(service_account: User) -> User:
    service_account.user_permissions.add(Permission.objects.get(codename="read_events"))
    return service_account


def test_every_operation_answers_as_described(
    reading: Reading, owner: User, feed_reader: User, other_platforms: None
) -> None:
    client = reading(None)
    client.get("/api/v1/platforms?app=providers")
    tokens = sign_in(client)
    connection = call_back(client, start(client)).json()["id"]
    use(client, connection)
    end(client, connection)
    client.get("/api/v1/providers")
    channel = channels.call_back(client, channels.start(client)).json()["id"]
    use_channel(client, channel)
    end_channel(client, channel)
    # Connecting draws on one bucket in all three apps, and it is empty by now.
    rate_limits.process_buckets.cache_clear()
    cache.clear()
    connected = social.call_back(client, social.start(client)).json()["accounts"]
    first, second = (account["id"] for account in connected)
    use_account(client, first)
    client.delete(f"{SOCIAL}/disconnect/{second}")
    for ended in (connection, channel, first):
        assert client.get(f"/api/v1/receipts/{ended}").status_code == 200
    assert (
        client.post("/api/v1/auth/logout", only_refresh(tokens), format="json").status_code == 204
    )

    client.get("/api/v1/me")
    client.get("/api/v1/connections")
    assert client.post("/api/v1/connect-sessions", {}, format="json").status_code == 201
    listener = reading(feed_reader)
    listener.get("/api/v1/events")

    seen = [*client.seen, *listener.seen]
    walked = {(method, path) for method, path, status in seen if status < 300}
    assert walked == {(method, path) for method, path, _ in operations(client.reader.document)}


@pytest.mark.parametrize("balance", ["1204.5", "-0.125", 12, None])
def test_money_is_a_decimal_in_text_or_null(
    owners: ReadingClient, bank: Bank, balance: object
) -> None:
    bank.server.on("GET", "/accounts", Answer(json={"accounts": [ACCOUNT | {"balance": balance}]}))
    connection = call_back(owners, start(owners, alias="Savings")).json()["id"]
    owners.post("/api/v1/accounts/syncs", {"connection_id": connection}, format="json")
    (account,) = owners.get("/api/v1/accounts").json()["data"]
    assert (account["balance"] is None) is (balance is None)


@pytest.mark.parametrize("expires_in", [None, 1800])
def test_the_end_of_a_token_may_be_unknown(
    owners: ReadingClient, bank: Bank, expires_in: int | None
) -> None:
    bank.expires_in = expires_in
    connection = call_back(owners, start(owners)).json()["id"]
    refreshed = owners.post(f"/api/v1/providers/{connection}/token-refreshes")
    assert (refreshed.json()["expires_at"] is None) is (expires_in is None)


def test_the_help_link_is_described(owners: ReadingClient, bank: Bank, use_catalogue: Any) -> None:
    without_revocation = bank.catalogue().partition("[providers.bank.revocation]")[0]
    use_catalogue(without_revocation, "bank")
    for verb in ("/api/v1/auth/{}/disconnect", "/api/v1/providers/{}"):
        rate_limits.process_buckets.cache_clear()
        connection = call_back(owners, start(owners)).json()["id"]
        assert owners.delete(verb.format(connection)).headers["Link"] == HELP
