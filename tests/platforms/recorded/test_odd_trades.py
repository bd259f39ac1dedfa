"""A trade of which it can't be told what it moved is an error, and never a wrong amount."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from providers.models import Transaction
from tests.platforms.recorded import alpaca, tradestation
from tests.platforms.recorded.conftest import ServeRecording
from tests.platforms.recorded.tradestation import leg, order
from tests.support.bank import connect
from tests.support.platform_server import Answer
from tests.support.provider_syncing import sync

pytestmark = pytest.mark.django_db(transaction=True)

FILL = alpaca.fill(20, "buy", "1", "2", "AAPL")
ODD: dict[str, tuple[Any, str, Any]] = {
    "a fill without a side": (alpaca, alpaca.ACTIVITIES, [{**FILL, "side": None}]),
    "a fill of another side": (alpaca, alpaca.ACTIVITIES, [{**FILL, "side": "undisclosed"}]),
    "an order without a side": (
        tradestation, tradestation.ORDERS, {"Orders": [order(20, leg("", "1", "2", "KO"))]},
    ),
    "an order of an unknown kind": (
        tradestation,
        tradestation.ORDERS,
        {"Orders": [order(20, leg("Buy", "1", "2", "X", "FUTUREOPTION"))]},
    ),
    "a filled order without legs": (
        tradestation, tradestation.ORDERS, {"Orders": [order(20, Legs=None)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_it_is_an_error(
    api: APIClient, serve_recording: ServeRecording, odd: tuple[Any, str, Any]
) -> None:
    module, path, told = odd
    recorded = serve_recording(module.RECORDING)
    row = connect(api, module.RECORDING.slug)
    recorded.server.on("GET", path, Answer(json=told))
    synced = sync(api, row.pk).json()
    assert synced["errors"] == 1
    assert not Transaction.objects.exists()


@pytest.mark.parametrize("side", ["Buy", "BUY", "buy"])
def test_a_side_is_read_in_any_letters(
    api: APIClient, serve_recording: ServeRecording, side: str
) -> None:
    recorded = serve_recording(alpaca.RECORDING)
    row = connect(api, "alpaca")
    recorded.server.on("GET", alpaca.ACTIVITIES, Answer(json=[{**FILL, "side": side}]))
    assert sync(api, row.pk).json()["errors"] == 0
    assert Transaction.objects.get().amount == -2


def test_an_error_with_a_status_of_success_is_no_account(
    api: APIClient, serve_recording: ServeRecording
) -> None:
    recorded = serve_recording(alpaca.RECORDING)
    row = connect(api, "alpaca")
    recorded.server.on("GET", "/v2/account", Answer(json={"code": 50010000, "message": "…"}))
    assert sync(api, row.pk).status_code == 502
