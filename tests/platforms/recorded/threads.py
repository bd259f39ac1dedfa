"""Threads (Meta's documents: access tokens, long-lived tokens)."""

from tests.platforms.recorded.meta_shapes import DEAD, LASTING, PASSING, USER, error
from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

RECORDING = Recording(
    slug="threads",
    tokens={"access_token": "short-N", "user_id": int(USER)},
    routes={
        ("GET", "/access_token"): Answer(json=LASTING),
        ("GET", "/me"): Answer(json={"id": USER, "username": "ada_l"}),
    },
    account_id=USER,
    account_name="@ada_l",
    lasting=LASTING,
    refreshes_at=("GET", "/refresh_access_token"),
    renewed="long-1",
    dead=DEAD,
    passing=PASSING,
    dead_token=((error(190, 458), "revoked"),),
)
