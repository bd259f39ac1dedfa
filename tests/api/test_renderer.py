"""Answers are the same bytes as DRF's own renderer writes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.functional import lazystr
from rest_framework.renderers import JSONRenderer

from connections_project.api.renderers import OrjsonRenderer

VALUES: dict[str, Any] = {
    "text": 'Grüße, "\\" </script> \u2028 \u2029 \x00 \x7f 👩‍👩‍👧',
    "times": [datetime(2026, 1, 1, 12, 0, 0, 1234, UTC), date(2026, 1, 1)],
    "numbers": [0, -1, 2**63, 2**70, 1.5, Decimal("1204.50")],
    "others": [None, True, UUID(int=7), lazystr("lazy"), (1, 2)],
    "keys": {1: "one", "zwei": 2},
    "empty": [{}, [], ""],
}


@pytest.mark.parametrize("name", VALUES)
def test_it_is_what_drf_writes(name: str) -> None:
    assert OrjsonRenderer().render(VALUES[name]) == JSONRenderer().render(VALUES[name])


def test_no_data_is_no_body() -> None:
    assert OrjsonRenderer().render(None) == b""


def test_what_cannot_be_written_is_an_error() -> None:
    with pytest.raises(TypeError):
        OrjsonRenderer().render({"what": object()})
