"""Facebook Pages by Facebook Login (Meta's documents: long-lived tokens, permissions, errors)."""

from tests.platforms.recorded.meta_shapes import DEAD, LASTING, PASSING, REMOVED_BEFORE, USER, error
from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

PAGE = {"id": "71", "name": "Engines", "access_token": "page-1", "tasks": ["MANAGE"]}
RECORDING = Recording(
    slug="facebook_page",
    tokens={"access_token": "short-N", "token_type": "bearer", "expires_in": 5100},
    routes={
        ("GET", "/v25.0/me"): Answer(json={"id": USER, "name": "Ada Lovelace"}),
        ("GET", "/v25.0/me/accounts"): Answer(
            json={"data": [PAGE], "paging": {"cursors": {"before": "b", "after": "a"}}}
        ),
    },
    account_id="71",
    account_name="Engines",
    granted_by=USER,
    lasting=LASTING,
    refreshes_at=("GET", "/v25.0/oauth/access_token"),
    renewed="long-1",
    dead=DEAD,
    passing=PASSING,
    dead_token=((error(190, 460), "expired"), (error(190, 458), "revoked")),
    revokes_at=("DELETE", f"/v25.0/{USER}/permissions"),
    revoked=Answer(json={"success": True}),
    revokes=("our client|s3cret/+&=%",),
    revoked_already=(REMOVED_BEFORE,),
    unrevoked=(error(1, status=500), error(190), Answer(json={"success": False})),
)
