"""Each code of channels and schedules, met once, and held against the document."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from channels.api.errors import CODES
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from tests.conftest import UseCatalogue
from tests.openapi.conftest import Reading
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.channel_scheduling import SCHEDULES, schedule
from tests.support.chirp import Chirp, call_back, start
from tests.support.openapi_client import ReadingClient
from tests.support.platform_server import Answer

CONNECTIONS = "/api/v1/channels/connections"


@pytest.fixture
def chirp(bank: Bank, use_catalogue: UseCatalogue, monkeypatch: pytest.MonkeyPatch) -> Chirp:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    made = Chirp(bank.server, numbers=bank.numbers)
    use_catalogue(made.catalogue(), "chirp")
    return made


def code(answer: Any) -> str:
    return str(answer.json()["errors"][0]["error_code"])


def of_connecting(api: APIClient, chirp: Chirp) -> list[Any]:
    used = start(api)
    connect = "/api/v1/channels/connect"
    answers = [
        call_back(api, start(api), error="access_denied"),
        call_back(api, used),
        call_back(api, used),
        call_back(api, start(api)),
        api.post(connect, {"channel": "nobody"}, format="json"),
        api.post(connect, {"channel": "x"}, format="json"),
    ]
    chirp.server.on("POST", "/token", Answer(500))
    return [*answers, call_back(api, start(api))]


def of_connections(api: APIClient, owner: User, others: User) -> list[Any]:
    lasting = channel_of(owner, account_id="a", tokens=TokenSet("access"))
    failing = channel_of(owner, account_id="b")
    dead = channel_of(owner, account_id="e", status="error")
    urls = [f"{CONNECTIONS}/{row.pk}/refresh" for row in (lasting, failing, dead)]
    schedule_of(lasting)
    return [
        *(api.post(url, {"force": True}, format="json") for url in urls),
        *(api.get(f"{CONNECTIONS}/{each}") for each in ("nonsense", uuid7())),
        api.get(f"{CONNECTIONS}/{channel_of(others).pk}"),
        api.delete(f"{CONNECTIONS}/{lasting.pk}"),
        schedule(api, lasting.pk, run_at="2001-01-01T00:00:00Z"),
        schedule(api, dead.pk),
    ]


def of_schedules(api: APIClient, owner: User, others: User) -> list[Any]:
    row = channel_of(owner, account_id="c")
    over, published = schedule_of(row, status="cancelled"), schedule_of(row, status="published")
    foreign = schedule_of(channel_of(others, account_id="c"))
    ids = ("nonsense", uuid7(), over.pk, published.pk, foreign.pk)
    return [api.post(f"{SCHEDULES}/{each}/cancel") for each in ids]


def test_every_code_is_described_where_it_comes(
    owners: ReadingClient,
    reading: Reading,
    owner: User,
    outsider: User,
    service_account: User,
    chirp: Chirp,
) -> None:
    answers = of_connecting(owners, chirp)
    answers += of_connections(owners, owner, outsider)
    answers += of_schedules(owners, owner, outsider)
    row = channel_of(owner, account_id="d")
    answers.append(reading(service_account).delete(f"{CONNECTIONS}/{row.pk}"))
    refused = [answer for answer in answers if answer.status_code >= 400]
    # One of them went well, so that its state could be used up.
    assert len(refused) == len(answers) - 1
    assert {code(answer) for answer in refused} == set(CODES)
