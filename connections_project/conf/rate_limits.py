"""The rate limits: what each bucket holds and gains, unless a setting says otherwise."""

import re
from collections.abc import Mapping

# By policy: the burst, and how many more come with every minute.
Limit = tuple[int, int]

DEFAULTS: Mapping[str, Limit] = {
    "API_READ": (100, 100),
    "API_WRITE": (50, 50),
    "PROVIDER_CONNECT": (5, 5),
    "PROVIDER_SYNC": (10, 5),
    "KEY_CONNECT": (60, 60),
    "SOCIAL_READ": (200, 200),
    "SOCIAL_WRITE": (50, 50),
    # A directory that takes up its work tells of everybody at once; Entra ID wants 25 a second.
    "SCIM": (1500, 1500),
    "UNAUTHENTICATED": (60, 60),
}
PREFIX = "RATE_LIMIT_"
MOST = 1_000_000
_LIMIT = re.compile(r"([0-9]{1,7})\s*/\s*([0-9]{1,7})", re.ASCII)


def parse_limit(text: str) -> Limit:
    """Read `burst/per-minute`, such as 100/100; raises ValueError for anything else."""
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise ValueError
    burst, per_minute = int(match[1]), int(match[2])
    if not (1 <= burst <= MOST and 1 <= per_minute <= MOST):
        raise ValueError
    return burst, per_minute
