"""RFC 9207: the answer must come from the server that was asked, else nothing is sent anywhere."""

import logging

import pytest
from rest_framework.test import APIClient

from providers.models import Connection
from tests.conftest import UseCatalogue
from tests.support.bank import ISSUER, Bank, call_back, start
from tests.support.provider_connecting import events, problem

KNOWN = f'issuer = "{ISSUER}"'
PROMISED = f"{KNOWN}\nauthorization_response_iss_parameter_supported = true"
OTHER = "https://elsewhere.example.com"


@pytest.mark.parametrize(
    ("entry", "query"),
    [
        (KNOWN, {"iss": ISSUER}),
        (KNOWN, {}),
        (PROMISED, {"iss": ISSUER}),
        ("", {}),
        ("", {"iss": OTHER}),
    ],
    ids=["right", "absent", "promised and right", "unknown and absent", "unknown and present"],
)
def test_it_goes_on(
    api: APIClient,
    bank: Bank,
    use_catalogue: UseCatalogue,
    entry: str,
    query: dict[str, str],
) -> None:
    use_catalogue(bank.catalogue(more=entry), "bank")
    assert call_back(api, start(api), **query).status_code == 201


@pytest.mark.parametrize(
    ("entry", "query"),
    [
        (KNOWN, {"iss": OTHER}),
        (KNOWN, {"iss": ""}),
        (KNOWN, {"iss": f"{ISSUER}/"}),
        (KNOWN, {"iss": ISSUER.upper()}),
        (PROMISED, {"iss": OTHER}),
        (PROMISED, {}),
    ],
    ids=["other", "empty", "slash", "upper case", "promised and other", "promised and absent"],
)
def test_it_is_refused_and_nothing_is_sent_anywhere(
    api: APIClient,
    bank: Bank,
    use_catalogue: UseCatalogue,
    entry: str,
    query: dict[str, str],
) -> None:
    use_catalogue(bank.catalogue(more=entry), "bank")
    state = start(api)
    assert problem(call_back(api, state, **query))[0] == 400
    assert bank.server.requests == []
    assert not Connection.objects.exists()
    assert events()[0].details == {"platform": "bank", "error": "issuer_mismatch"}
    assert problem(call_back(api, state)) == (400, "invalid_state")


def test_an_undeclared_issuer_is_warned_about(
    api: APIClient, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    state = start(api)
    with caplog.at_level(logging.WARNING):
        call_back(api, state, iss=OTHER)
    (warning,) = [one for one in caplog.records if one.name.endswith("connections.flow")]
    assert "bank" in warning.getMessage()
    assert OTHER not in warning.getMessage()
