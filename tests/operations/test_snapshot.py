"""The ids of a selection are a snapshot: what was counted is what is ended, in little memory."""

import tracemalloc

import pytest

from connections_project.core.ids import uuid7
from connections_project.identity.models import User
from connections_project.operations.snapshot import IdSnapshot, take_snapshot
from providers.models import Connection
from tests.support.provider_rows import connection_of


def test_they_come_back_as_they_were_in_batches() -> None:
    ids = [uuid7() for _ in range(7)]
    kept = IdSnapshot(ids)
    assert (len(kept), list(kept)) == (7, ids)
    assert [len(batch) for batch in kept.batches(3)] == [3, 3, 1]
    assert [one for batch in kept.batches(3) for one in batch] == ids
    assert not IdSnapshot([])


def test_ten_thousand_take_16_bytes_each() -> None:
    tracemalloc.start()
    try:
        kept = IdSnapshot(uuid7() for _ in range(10_000))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) == 10_000
    assert size < 250_000


@pytest.mark.django_db
def test_of_rows_those_that_are_left_of_ids_each_once(owner: User, platforms: object) -> None:
    live, over = connection_of(owner), connection_of(owner, status="disconnected")
    rows = Connection.objects.order_by("-created_at")
    assert list(take_snapshot("providers", rows)) == [live.pk]
    assert list(take_snapshot("providers", [over.pk, live.pk, over.pk])) == sorted(
        [live.pk, over.pk]
    )
    ids = take_snapshot("providers", rows)
    connection_of(owner, account_id="came later")
    assert take_snapshot("providers", ids) is ids
