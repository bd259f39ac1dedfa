"""YouTube (Google's OAuth 2.0 documents; the YouTube Data API)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

CHANNEL = {
    "kind": "youtube#channel",
    "etag": "e2",
    "id": "UC-ada-9",
    "snippet": {"title": "Ada's engines", "description": "", "customUrl": "@ada"},
}
UNAUTHENTICATED = {
    "error": {
        "code": 401,
        "message": "Request had invalid authentication credentials.",
        "errors": [{"message": "Invalid Credentials", "domain": "global", "reason": "authError"}],
        "status": "UNAUTHENTICATED",
    }
}
GONE = "Token has been expired or revoked."
RECORDING = Recording(
    slug="youtube",
    tokens={
        "access_token": "access-N",
        "expires_in": 3599,
        "refresh_token": "refresh-1",
        "scope": "openid https://www.googleapis.com/auth/youtube.readonly",
        "token_type": "Bearer",
        # {"sub": "1098", "aud": "our client"}
        "id_token": "e30.eyJzdWIiOiAiMTA5OCIsICJhdWQiOiAib3VyIGNsaWVudCJ9.",
    },
    routes={
        ("GET", "/youtube/v3/channels"): Answer(
            json={
                "kind": "youtube#channelListResponse",
                "pageInfo": {"totalResults": 1, "resultsPerPage": 5},
                "items": [CHANNEL],
            }
        ),
    },
    account_id="UC-ada-9",
    account_name="Ada's engines",
    granted_by="1098",
    dead=(
        (Answer(400, json={"error": "invalid_grant", "error_description": GONE}), "expired"),
        (Answer(400, json={"error": "admin_policy_enforced"}), "revoked"),
    ),
    dead_token=((Answer(401, json=UNAUTHENTICATED), "expired"),),
    revoked=Answer(json={}),
    revokes=("refresh-1", "access-1"),
    revoked_already=(
        Answer(400, json={"error": "invalid_token", "error_description": "Token expired"}),
    ),
    unrevoked=(Answer(400, json={"error": "invalid_request", "error_description": "…"}),),
)
