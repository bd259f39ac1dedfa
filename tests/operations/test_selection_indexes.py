"""What selects connections finds them by an index (PostgreSQL), however many there are."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from connections_project.connections.registry import connection_type, connection_types
from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.operations.models import BulkItem, BulkJob
from connections_project.operations.selectors import Selectors
from connections_project.revocation.grants import Grant, _any_of
from connections_project.revocation.models import GrantHold

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's"),
]


OVER, LEFT = 2000, 20


@pytest.fixture(autouse=True)
def _as_in_a_full_table(db: None) -> None:
    """Have the planner avoid what a full table would make it avoid."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def fill(app: str, owner: User) -> None:
    """Insert many rows that are over and a few that are not; update the statistics."""
    model: Any = connection_type(app).model
    now = timezone.now()
    rows = [
        model(
            **{
                model.owner_column: owner.own_team.pk if app == "social" else owner.pk,
                model.platform_column: f"platform-{number % 7}",
            },
            **({"is_active": False} if app == "social" else {}),
            status="expired" if number < LEFT else "disconnected",
            platform_account_id=str(number),
            connected_at=now - timedelta(days=number),
            disconnected_at=None if number < LEFT else now,
            created_at=now,
            updated_at=now,
        )
        for number in range(OVER + LEFT)
    ]
    model._default_manager.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")


def assert_uses_an_index(rows: Any) -> None:
    plan = rows.explain()
    assert "Seq Scan" not in plan, plan
    assert "Index" in plan, plan
    # A condition that no index serves would be a filter over all of one.
    assert "Index Cond" in plan or "_live_by_age" in plan, plan


@pytest.mark.parametrize("app", [one.app for one in connection_types()])
def test_each_selector(app: str, owner: User) -> None:
    fill(app, owner)
    target, now = connection_type(app), timezone.now()
    for one in (
        Selectors(ids=[owner.pk]),
        Selectors(user=owner),
        Selectors(platform="x"),
        Selectors(status="expired"),
        Selectors(platform="x", status="expired"),
        Selectors(connected_before=now - timedelta(days=400)),
        Selectors(platform="x", connected_before=now),
        Selectors(everything=True),
    ):
        rows = target.unfinished(one.rows(app)).order_by("pk").values_list("pk", flat=True)
        assert_uses_an_index(rows)


@pytest.mark.parametrize("app", [one.app for one in connection_types()])
def test_what_is_over_already_costs_nothing(app: str, owner: User) -> None:
    """`--all` looks only through what is left: what is over is in no index that it reads."""
    fill(app, owner)
    plan = (
        connection_type(app).unfinished(Selectors(everything=True).rows(app)).values("pk").explain()
    )
    assert "_live_by_age" in plan, plan


def test_the_holders_of_a_batchs_grants() -> None:
    common = {"app": "providers", "authority": "host", "client_id": "client"}
    GrantHold.objects.bulk_create(
        GrantHold(connection_id=uuid7(), platform_user_id=str(number), **common)
        for number in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE revocation_granthold")
    # So few of them that no statistics of this small table make reading all of it cheaper.
    grants = [Grant("host", "client", str(number)) for number in range(10)]
    assert_uses_an_index(GrantHold.objects.filter(_any_of(grants)).order_by("id"))


def test_the_next_items_of_a_bulk_job(owner: User) -> None:
    job = BulkJob(pk=owner.pk)
    items = BulkItem.objects.filter(job=job, state="pending").order_by("connection_id")[:1000]
    assert_uses_an_index(items.values_list("connection_id"))
