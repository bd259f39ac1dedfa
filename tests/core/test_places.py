"""Who waits for a place for costly work, and who is refused at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from django.conf import LazySettings

from connections_project.core import places


def refused_after(within: float) -> float:
    began = time.monotonic()
    with pytest.raises(places.NoPlaceError), places.a_place("work", within=within):
        pass
    return time.monotonic() - began


@pytest.mark.parametrize(("threads", "waiting"), [(1, 0), (2, 0), (3, 1), (4, 1), (16, 4)])
def test_those_who_wait_leave_threads_for_others(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, threads: int, waiting: int
) -> None:
    settings.WEB_THREADS = threads
    monkeypatch.setattr(places, "places", cache(places.places.__wrapped__))
    monkeypatch.setattr(places, "_waiters", cache(places._waiters.__wrapped__))
    while places.places("work").acquire(blocking=False):
        continue
    with ThreadPoolExecutor(8) as requests:
        waited = list(requests.map(refused_after, [1.0] * 8))
    assert sum(one > 0.9 for one in waited) == waiting
