"""Instagram professional accounts by Facebook Login (documents as for Facebook Pages)."""

from tests.platforms.recorded.meta_shapes import DEAD, LASTING, PASSING, REMOVED_BEFORE, USER, error
from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

PAGE = {
    "id": "71",
    "access_token": "page-1",
    "instagram_business_account": {"id": "1771", "username": "ada_l"},
}
RECORDING = Recording(
    slug="instagram_business",
    tokens={"access_token": "short-N", "token_type": "bearer", "expires_in": 5100},
    routes={
        ("GET", "/v25.0/me"): Answer(json={"id": USER, "name": "Ada Lovelace"}),
        ("GET", "/v25.0/me/accounts"): Answer(
            json={"data": [PAGE], "paging": {"cursors": {"before": "b", "after": "a"}}}
        ),
    },
    account_id="1771",
    account_name="@ada_l",
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
