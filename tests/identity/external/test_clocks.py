"""Issuers whose clocks are ahead: what ends, ends for their tokens too, and for no later ones."""

import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from connections_project.identity.models import User
from tests.identity.external.conftest import Me
from tests.support.issuer import TestIssuer


def ahead(issuer: TestIssuer, seconds: float, **claims: Any) -> str:
    """Sign a token by a clock that is ahead and counts fractions."""
    return issuer.token(iat=time.time() + seconds, **claims)


def end_sessions() -> None:
    User.objects.filter(subject="kim").update(sessions_ended_at=timezone.now())


@pytest.mark.parametrize("lead", [4, 25])
def test_an_end_refuses_what_was_issued_before(issuer: TestIssuer, me: Me, lead: int) -> None:
    old = ahead(issuer, lead)
    assert me(old).status_code == 200
    end_sessions()
    assert me(old).status_code == 401
    assert me(ahead(issuer, lead)).status_code == 200
    assert me(old).status_code == 401


def test_the_largest_lead_stays(issuer: TestIssuer, me: Me) -> None:
    for lead in (3, 20, 10):
        assert me(ahead(issuer, lead)).status_code == 200
    assert 19 < User.objects.get(subject="kim").clock_lead <= 20


def test_another_principals_lead_counts_for_nothing(issuer: TestIssuer, me: Me) -> None:
    me(ahead(issuer, 25, sub="lee"))
    me(issuer.token())
    end_sessions()
    assert me(ahead(issuer, 1)).status_code == 200


def test_ordinary_calls_write_nothing(
    issuer: TestIssuer, me: Me, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    me(ahead(issuer, 20))
    with django_assert_num_queries(2):  # The principal, and the teams of the answer.
        assert me(ahead(issuer, 10)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes_stops_no_call(issuer: TestIssuer, me: Me) -> None:
    me(issuer.token())

    def read_only(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE"):
            raise OperationalError("read-only")
        return execute(sql, *args)

    with connection.execute_wrapper(read_only):
        assert me(ahead(issuer, 20)).status_code == 200
