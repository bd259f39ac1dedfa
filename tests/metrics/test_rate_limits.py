"""Refusals by policy. Those that are let through without a limit: tests/api/test_redis_away.py."""

from rest_framework.test import APIClient

from connections_project.api.rate_limits import Policy, consume
from connections_project.identity.models import User
from tests.support.metric_values import metric_value

DENIALS = "connections_rate_limit_denials_total"
SMALL = Policy("SMALL", burst=2, per_minute=2)


def test_only_refusals_are_counted_by_policy() -> None:
    before = metric_value(DENIALS, policy="SMALL")
    assert [consume(SMALL, "somebody") is not None for _ in range(2)] == [True, True]
    assert metric_value(DENIALS, policy="SMALL") == before
    for _ in range(3):
        consume(SMALL, "somebody")
    assert metric_value(DENIALS, policy="SMALL") == before + 3


def test_refused_sign_ins_are_counted(anonymous: APIClient, owner: User) -> None:
    before = metric_value(DENIALS, policy="LOGIN")
    body = {"email": owner.email, "password": "wrong"}
    statuses = [
        anonymous.post("/api/v1/auth/login", body, format="json").status_code for _ in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2
    assert metric_value(DENIALS, policy="LOGIN") == before + 2
