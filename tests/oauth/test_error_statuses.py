"""What each status of a token endpoint means, and how long it asks us to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.oauth.conftest import Failing
from tests.support.platform_server import Answer


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (400, "refused", True),
        (403, "refused", True),
        (408, "unavailable", False),
        (429, "rate_limited", False),
        (500, "server_error", False),
        (502, "server_error", False),
        (503, "unavailable", False),
        (304, "redirected", False),
    ],
)
def test_each_status_has_its_word(
    failure: Failing, status: int, code: str, permanent: bool
) -> None:
    fault = failure(Answer(status, json={}))

    assert (fault.code, fault.permanent, fault.status) == (code, permanent, status)


@pytest.mark.parametrize("error", ["invalid_grant", "unauthorized_client"])
def test_a_refused_code_is_refused(failure: Failing, error: str) -> None:
    assert failure(Answer(400, json={"error": error})).code == "refused"


@pytest.mark.parametrize("status", [400, 401])
def test_an_unknown_client_is_our_own_fault(failure: Failing, status: int) -> None:
    fault = failure(Answer(status, json={"error": "invalid_client"}))

    assert (fault.code, fault.permanent) == ("invalid_client", True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", {17}),
        ("Wed, 21 Oct 2015 07:28:00 GMT", {0}),
        ("99999999999999999999", {86400}),
        ("-3", {None}),
        ("soon", {None}),
        ("", {None}),
        ("٣", {None}),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read_as_seconds_or_a_date(
    failure: Failing, status: int, value: str, seconds: set[int | None]
) -> None:
    # Headers travel as Latin-1; what isn't goes as the bytes of its UTF-8.
    header = value.encode().decode("latin-1")

    assert failure(Answer(status, headers={"Retry-After": header})).retry_after in seconds


def test_retry_after_may_be_a_date_to_come(failure: Failing) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)

    assert failure(Answer(503, headers={"Retry-After": date})).retry_after in range(100, 121)
