"""The four calls that are measured, as requests on the wire."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

from bench import seed
from bench.load import bearer, request
from bench.seed import Person

# Below a principal's limit of 50 a minute.
WRITES = 40


@dataclass(frozen=True)
class Case:
    """One call.

    Args:
        aim: The ratio to the plain DRF view that is aimed for; None where none is named.
        requests: Makes the requests of one measurement; each that spends rows takes new ones.
    """

    name: str
    status: int
    aim: float | None
    requests: Callable[[], Iterator[bytes]]


def cases(*, disconnects: int) -> list[Case]:
    """Make what the calls need, and describe them.

    Args:
        disconnects: How many connections may be ended in all.
    """
    owners = seed.people("owner", number=-(-disconnects // WRITES), connections=WRITES)
    readers = seed.people("reader", number=100, connections=1)
    collectors = seed.people("collector", number=100, connections=50)
    ending = iter([one for owner in owners for one in _disconnects(owner)])
    return [
        Case("disconnect", 200, 1.0, lambda: ending),
        Case("get", 200, None, lambda: cycle([_get(one) for one in readers])),
        Case("list of 50", 200, 2.0, lambda: cycle([_list(one) for one in collectors])),
        Case("login", 200, None, lambda: cycle([_login(one) for one in readers])),
    ]


def _disconnects(owner: Person) -> Iterator[bytes]:
    for connection_id in owner.connections:
        yield request("DELETE", f"/api/v1/auth/{connection_id}/disconnect", bearer(owner.token))


def _get(reader: Person) -> bytes:
    return request("GET", f"/api/v1/providers/{reader.connections[0]}", bearer(reader.token))


def _list(collector: Person) -> bytes:
    return request("GET", "/api/v1/providers", bearer(collector.token))


def _login(reader: Person) -> bytes:
    body = json.dumps({"email": reader.email, "password": seed.PASSWORD})
    return request("POST", "/api/v1/auth/login", body=body)
