"""TikTok (its documents: user access tokens, revocation, user info)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

RECORDING = Recording(
    slug="tiktok",
    tokens={
        "access_token": "access-N",
        "expires_in": 7200,
        "open_id": "open-9",
        "refresh_expires_in": 15552000,
        "refresh_token": "refresh-N",
        "scope": "user.info.basic,video.publish",
        "token_type": "Bearer",
    },
    routes={
        ("GET", "/v2/user/info/"): Answer(
            json={
                "data": {"user": {"open_id": "open-9", "display_name": "Ada"}},
                "error": {"code": "ok", "message": "", "log_id": "202611280001"},
            }
        ),
    },
    account_id="open-9",
    account_name="Ada",
    dead=(
        (
            Answer(
                400,
                json={
                    "error": "invalid_grant",
                    "error_description": "Refresh token is invalid or expired.",
                    "log_id": "202611280002",
                },
            ),
            "expired",
        ),
        # Errors come with a status of success too.
        (Answer(json={"error": "invalid_grant", "log_id": "202611280003"}), "expired"),
    ),
    dead_token=(
        (
            Answer(
                401,
                json={
                    "data": {},
                    "error": {
                        "code": "access_token_invalid",
                        "message": "The access token is invalid or not found in the request.",
                        "log_id": "202611280004",
                    },
                },
            ),
            "expired",
        ),
        (Answer(json={"data": {}, "error": {"code": "access_token_invalid"}}), "expired"),
    ),
    revokes=("access-1",),
    unrevoked=(
        Answer(json={"error": "invalid_request", "error_description": "…", "log_id": "2026"}),
    ),
)
