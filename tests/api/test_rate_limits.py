"""The policies are those of the contract, and decisions are whole seconds."""

from typing import Any

import pytest

from connections_project.api import rate_limits
from connections_project.api.rate_limits import Decision, Policy, consume
from connections_project.api.token_buckets import MemoryBuckets

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("name", "burst", "per_minute"),
    [
        ("API_READ", 100, 100),
        ("API_WRITE", 50, 50),
        ("PROVIDER_CONNECT", 5, 5),
        ("PROVIDER_SYNC", 10, 5),
        ("KEY_CONNECT", 60, 60),
        ("SOCIAL_READ", 200, 200),
        ("SOCIAL_WRITE", 50, 50),
        ("UNAUTHENTICATED", 60, 60),
    ],
)
def test_the_contracts_policy(name: str, burst: int, per_minute: int) -> None:
    assert getattr(rate_limits, name) == Policy(name, burst, per_minute)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[int]:
    """Put buckets with a clock of the test's own in the place of the process's."""
    settings.REDIS_URL = ""
    now = [1_700_000_000 * SECOND]
    buckets = MemoryBuckets(clock=lambda: now[0])
    monkeypatch.setattr(rate_limits, "process_buckets", lambda: buckets)
    return now


def test_times_are_rounded_up_to_whole_seconds(clock: list[int]) -> None:
    policy = Policy("ONE", burst=1, per_minute=60)
    clock[0] += 1
    assert consume(policy, "k") == Decision(True, 1, 0, 1_700_000_002, 0)
    clock[0] += SECOND - 1
    assert consume(policy, "k") == Decision(False, 1, 0, 1_700_000_002, 1)
    clock[0] += 1
    assert consume(policy, "k") == Decision(True, 1, 0, 1_700_000_003, 0)


def test_policies_do_not_share_a_bucket(clock: list[int]) -> None:
    for name in ("ONE", "OTHER"):
        decision = consume(Policy(name, burst=1, per_minute=1), "k")
        assert decision is not None
        assert decision.allowed
