"""`manage.py check_catalog`: what is known of platforms, since when, and what runs out."""

import json
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from connections_project.oauth.proxy import OutboundProxy
from connections_project.oauth.transport import use_proxy
from connections_project.platforms.catalog import catalog
from tests.conftest import UseCatalogue
from tests.platforms.test_discover import OAUTH, metadata
from tests.support.bank import Bank
from tests.support.forward_proxy import ForwardProxy, proxy
from tests.support.platform_server import Answer

__all__ = ["proxy"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _that_day() -> Any:
    with time_machine.travel("2026-12-01T12:00:00Z", tick=False):
        yield


def checked(*arguments: str) -> tuple[list[dict[str, Any]], int]:
    """Return what is reported of each platform, and the exit code."""
    out, code = StringIO(), 0
    try:
        call_command("check_catalog", *arguments, "--json", stdout=out)
    except CommandError as error:
        code = error.returncode
    return [json.loads(line) for line in out.getvalue().splitlines()], code


def found(report: dict[str, Any], severity: str = "problem") -> dict[str, str]:
    return {one["key"]: one["text"] for one in report["findings"] if one["severity"] == severity}


def use(bank: Bank, use_catalogue: UseCatalogue, more: str = "", revocation: str = "") -> None:
    use_catalogue(bank.catalogue(more=more, revocation=revocation), "bank")


def test_configured_platforms_are_told_of(bank: Bank, use_catalogue: UseCatalogue) -> None:
    use(bank, use_catalogue, "checked_on = 2026-11-20")
    ((report,), code) = checked()
    assert (report["slug"], report["configured"], code) == ("bank", True, 0)
    assert report["checked_on"] == "2026-11-20"
    assert report["known"]["identity"] == "endpoint"
    assert report["findings"] == []
    assert bank.server.requests == []


def test_what_runs_out_is_told_in_time(bank: Bank, use_catalogue: UseCatalogue) -> None:
    ends = '"Version 1" = 2026-12-31, "Version 2" = 2028-01-01'
    use(bank, use_catalogue, f"checked_on = 2026-11-20\nends_on = {{ {ends} }}")
    ((report,), code) = checked()
    assert [one["days_left"] for one in report["ends"]] == [30, 396]
    assert found(report, "notice") == {"ends_on": "Version 1 ends on 2026-12-31, in 30 days"}
    assert code == 0


def test_what_has_run_out_is_a_problem(bank: Bank, use_catalogue: UseCatalogue) -> None:
    use(bank, use_catalogue, 'ends_on = { "Version 1" = 2026-11-30 }')
    ((report,), code) = checked("bank")
    assert found(report) == {"ends_on": "Version 1 ended on 2026-11-30"}
    # Nobody says when the entry was right.
    assert "checked_on" in found(report, "notice")
    assert code == 1


def test_half_a_client_is_a_problem(
    bank: Bank, use_catalogue: UseCatalogue, settings: LazySettings
) -> None:
    use(bank, use_catalogue, "checked_on = 2025-01-01")
    settings.OAUTH_CLIENTS = {"bank": {"client_id": "ours"}}
    ((report,), code) = checked()
    assert (report["configured"], code) == (False, 1)
    assert "OAUTH_BANK_CLIENT_SECRET" in found(report)["token_endpoint_auth_method"]
    assert "more than a year ago" in found(report, "notice")["checked_on"]


def test_an_entry_may_differ_from_what_is_published(
    bank: Bank, use_catalogue: UseCatalogue
) -> None:
    url = bank.server.url
    document = metadata(
        bank.server,
        token_endpoint=f"{url}/v2/token",
        revocation_endpoint=f"{url}/v2/revoke",
        introspection_endpoint=f"{url}/introspect",
        authorization_response_iss_parameter_supported=True,
    )
    bank.server.on("GET", OAUTH, Answer(json=document))
    use(bank, use_catalogue, f'issuer = "{url}"\ncode_challenge_method = "none"')
    ((report,), code) = checked("--online")
    assert report["document"] == f"{url}{OAUTH}"
    assert found(report) == {
        "token_endpoint": f"is {url}/token; the platform publishes {url}/v2/token",
        "token_endpoint_auth_method": "is client_secret_basic; the platform knows "
        "private_key_jwt, client_secret_post",
        "revocation.endpoint": f"is {url}/revoke; the platform publishes {url}/v2/revoke",
    }
    assert found(report, "notice").keys() == {
        "checked_on",
        "code_challenge_method",
        "authorization_response_iss_parameter_supported",
        "scopes",
        "revocation.verify",
    }
    assert code == 1
    # Nothing is asked for but what everybody may see.
    assert {one.method for one in bank.server.requests} == {"GET", "HEAD"}
    assert not any(one.headers.get("Authorization") for one in bank.server.requests)


def test_whoever_publishes_nothing_is_no_problem(bank: Bank, use_catalogue: UseCatalogue) -> None:
    use(bank, use_catalogue, "checked_on = 2026-11-20")
    ((report,), code) = checked("--online")
    assert (report["document"], report["findings"], code) == ("", [], 0)


def test_an_endpoint_that_is_gone_is_a_problem(bank: Bank, use_catalogue: UseCatalogue) -> None:
    use(bank, use_catalogue, 'issuer = "http://127.0.0.1:1"', 'verify = "introspection"\n'
        'introspection_endpoint = "http://127.0.0.1:1/introspect"')  # fmt: skip
    ((report,), code) = checked("--online")
    assert "connect_error" in found(report)["issuer"]
    assert "nobody answers" in found(report)["revocation.introspection_endpoint"]
    assert code == 1


def test_it_asks_through_the_proxy(
    bank: Bank, use_catalogue: UseCatalogue, proxy: ForwardProxy
) -> None:
    use(bank, use_catalogue, "checked_on = 2026-11-20")
    use_proxy(OutboundProxy(proxy.url))
    checked("--online")
    assert len(proxy.seen) == len(bank.server.requests) > 0


@pytest.mark.parametrize("arguments", [("nowhere",), ("bank", "--all")])
def test_wrong_use_is_told_apart(bank: Bank, arguments: tuple[str, ...]) -> None:
    assert checked(*arguments) == ([], 2)


def test_people_read_the_same(bank: Bank, use_catalogue: UseCatalogue) -> None:
    use(bank, use_catalogue, 'ends_on = { "Version 1" = 2026-12-31 }')
    out = StringIO()
    call_command("check_catalog", "--online", stdout=out)
    text = out.getvalue()
    assert "bank (Bank): configured" in text
    assert "runs out: Version 1 on 2026-12-31 (30 days)" in text
    assert "publishes: no document" in text
    assert "notice: ends_on Version 1 ends on" in text


def test_without_clients_that_is_said(settings: LazySettings) -> None:
    settings.OAUTH_CLIENTS = {}
    out = StringIO()
    call_command("check_catalog", stdout=out)
    assert "No platform has client credentials" in out.getvalue()


def test_each_shipped_entry_says_when_it_was_right() -> None:
    active = [one for one in catalog().all() if one.status == "active"]
    assert all(one.checked_on for one in active)
