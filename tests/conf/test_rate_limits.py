"""RATE_LIMIT_<POLICY>: other figures for a policy."""

import pytest

from tests.conf.conftest import load, refusal


def test_a_policy_has_the_figures_it_is_given() -> None:
    limits = load(RATE_LIMIT_API_READ="7/11", RATE_LIMIT_KEY_CONNECT=" 1 / 1 ")["RATE_LIMITS"]
    assert limits["API_READ"] == (7, 11)
    assert limits["KEY_CONNECT"] == (1, 1)
    assert limits["API_WRITE"] == (50, 50)


@pytest.mark.parametrize("value", ["7", "7/", "/7", "0/7", "7/0", "-1/7", "1.5/7", "7/7/7", "a/b",
                                   "1000001/7", "\u0667/\u0667"])  # fmt: skip
def test_wrong_figures_stop_the_start(value: str) -> None:
    words = refusal(RATE_LIMIT_API_READ=value)
    assert words.startswith("Configuration: RATE_LIMIT_API_READ is wrong: ")


def test_an_unknown_policy_stops_the_start() -> None:
    words = refusal(RATE_LIMIT_API_REED="7/7")
    assert words.startswith("Configuration: RATE_LIMIT_API_REED is wrong: ")
    assert "RATE_LIMIT_API_READ" in words
