"""Mastodon (mastodon/documentation: methods/oauth, methods/accounts)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

RECORDING = Recording(
    slug="mastodon",
    tokens={
        "access_token": "access-N",
        "token_type": "Bearer",
        "scope": "read:accounts write:statuses",
        "created_at": 1764331200,
    },
    routes={
        ("GET", "/api/v1/accounts/verify_credentials"): Answer(
            json={
                "id": "14715",
                "username": "ada",
                "acct": "ada",
                "display_name": "Ada Lovelace",
                "avatar": "https://files.mastodon.social/ada.png",
                "source": {"privacy": "public", "sensitive": False},
            }
        ),
    },
    account_id="14715",
    account_name="ada",
    dead_token=(
        (Answer(401, json={"error": "The access token was revoked"}), "revoked"),
        (Answer(401, json={"error": "The access token is invalid"}), "revoked"),
    ),
    revoked=Answer(json={}),
    revokes=("access-1",),
    unrevoked=(
        Answer(
            403,
            json={
                "error": "unauthorized_client",
                "error_description": "You are not authorized to revoke this token",
            },
        ),
    ),
)
